// APIService: defaults, validation, columns.
import { type FieldError, field } from "../../machinery/index.ts";
import { getCondition } from "../pod-state.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import { isPathSegment } from "../rbac/rules.ts";
import type { KindStrategy } from "../strategy.ts";
import type { APIService } from "../types/apiregistration/v1.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";

function availableCell({ status }: APIService): string {
  const available = getCondition(status?.conditions, "Available");
  if (!available) return "Unknown";
  return available.status === "True" ? "True" : `${available.status} (${available.reason ?? ""})`;
}

export const apiServiceStrategy: KindStrategy<APIService> = {
  applyDefaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
  validateName: isPathSegment,
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0, service } = spec ?? {};
    const expected = `${version}.${group}`;
    if (metadata.name !== expected) {
      errors.push(field.invalid("metadata.name", metadata.name, `must be \`spec.version+"."+spec.group\`: "${expected}"`));
    }
    if (version === "") errors.push(field.required("spec.version"));
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000) {
      errors.push(field.invalid("spec.groupPriorityMinimum", groupPriorityMinimum, "must be positive and less than 20000"));
    }
    if (versionPriority <= 0 || versionPriority > 1000) {
      errors.push(field.invalid("spec.versionPriority", versionPriority, "must be positive and less than 1000"));
    }
    if (service && !service.name) errors.push(field.required("spec.service.name"));
    if (service && !service.namespace) errors.push(field.required("spec.service.namespace"));
    if (spec?.caBundle && spec.insecureSkipTLSVerify) {
      errors.push(field.invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present"));
    }
    return errors;
  },
  columns: [
    nameColumn,
    column("Service", ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local")),
    column("Available", availableCell),
    ageColumn,
  ],
};
