// ClusterRoleBinding: grants a role in the whole cluster.
import { ageColumn, column, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ClusterRoleBinding } from "../types/rbac/v1.ts";
import { applyBindingDefaults, isPathSegment, subjectNames, validateBinding, validateBindingUpdate } from "./rules.ts";

export const clusterRoleBindingStrategy: KindStrategy<ClusterRoleBinding> = {
  applyDefaults: applyBindingDefaults,
  validate: (binding) => validateBinding(binding, ["ClusterRole"]),
  validateUpdate: validateBindingUpdate,
  validateName: isPathSegment,
  allowsCreateOnUpdate: true,
  columns: [
    nameColumn,
    column("Role", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    wideColumn("Users", (binding) => subjectNames(binding, "User")),
    wideColumn("Groups", (binding) => subjectNames(binding, "Group")),
    wideColumn("ServiceAccounts", (binding) => subjectNames(binding, "ServiceAccount")),
  ],
};
