// ClusterRole: permissions in the whole cluster, perhaps put together from other roles.
import { type FieldError, field, validateLabelSelector } from "../../machinery/index.ts";
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ClusterRole } from "../types/rbac/v1.ts";
import { isPathSegment, validateRules } from "./rules.ts";

function validate(role: ClusterRole): FieldError[] {
  const errors = validateRules(role.rules, { isNamespaced: false });
  if (!role.aggregationRule) return errors;
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(
      field.required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil"),
    );
  }
  selectors.forEach((selector, i) => {
    errors.push(...validateLabelSelector(selector, `aggregationRule.clusterRoleSelectors[${i}]`));
  });
  return errors;
}

export const clusterRoleStrategy: KindStrategy<ClusterRole> = {
  validate,
  validateName: isPathSegment,
  allowsCreateOnUpdate: true,
  columns: [nameColumn, column("Created At", (role) => role.metadata.creationTimestamp ?? "")],
};
