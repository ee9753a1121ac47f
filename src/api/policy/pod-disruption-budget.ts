// PodDisruptionBudget: validation, columns.
import { type FieldError, field, validateLabelSelector } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PodDisruptionBudget } from "../types/policy/v1.ts";
import { checkAtMostHundredPercent, checkNotNegativeIntOrPercent, checkOneOf } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

const naText = (value: number | string | undefined): string => (value === undefined ? "N/A" : String(value));

function validate({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(field.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const name of ["minAvailable", "maxUnavailable"] as const) {
    checkNotNegativeIntOrPercent(errors, `spec.${name}`, spec[name]);
    checkAtMostHundredPercent(errors, `spec.${name}`, spec[name]);
  }
  if (spec.selector) errors.push(...validateLabelSelector(spec.selector, "spec.selector"));
  checkOneOf(errors, "spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"]);
  return errors;
}

export const podDisruptionBudgetStrategy: KindStrategy<PodDisruptionBudget> = {
  prepareForCreate(budget) {
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Min Available", ({ spec }) => naText(spec?.minAvailable)),
    column("Max Unavailable", ({ spec }) => naText(spec?.maxUnavailable)),
    integerColumn("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
};
