// PriorityClass: a number with a name that never changes.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PriorityClass } from "../types/scheduling/v1.ts";
import { checkImmutable, checkOneOf } from "../validation/checks.ts";

/** What users may give; above it stand the system's own classes. */
const highestUserPriority = 1_000_000_000;
const systemClasses: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

export const priorityClassStrategy: KindStrategy<PriorityClass> = {
  applyDefaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    // Upstream's encoder never leaves the number out.
    priorityClass.value ??= 0;
  },
  validate({ metadata, value = 0, preemptionPolicy }) {
    const errors: FieldError[] = [];
    const { name = "" } = metadata;
    if (name.startsWith("system-")) {
      if (systemClasses[name] !== value) {
        const detail = "priority class names with 'system-' prefix are reserved for system use only. error: no such system priority class";
        errors.push(
          field.forbidden(
            "metadata.name",
            systemClasses[name] === undefined ? detail : `value of ${name} PriorityClass must be ${systemClasses[name]}`,
          ),
        );
      }
    } else if (value > highestUserPriority) {
      errors.push(field.forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`));
    }
    checkOneOf(errors, "preemptionPolicy", preemptionPolicy, ["Never", "PreemptLowerPriority"]);
    return errors;
  },
  validateUpdate(priorityClass, old) {
    const errors: FieldError[] = [];
    if (priorityClass.value !== old.value) errors.push(field.forbidden("value", "may not be changed in an update."));
    checkImmutable(errors, "preemptionPolicy", priorityClass.preemptionPolicy, old.preemptionPolicy);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    integerColumn("Value", ({ value }) => value ?? 0),
    column("Global-Default", ({ globalDefault }) => globalDefault ?? false),
    ageColumn,
    column("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? ""),
  ],
};
