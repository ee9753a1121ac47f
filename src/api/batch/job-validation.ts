// Validation of jobs and of the job templates of CronJobs.
import { type FieldError, field, validateLabelSelector } from "../../machinery/index.ts";
import { validatePodTemplate } from "../core/pod-spec/validate.ts";
import type { Job, JobSpec } from "../types/batch/v1.ts";
import { checkImmutable, checkNotNegative, checkOneOf } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";

const counters = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

export function validateJobSpec(
  path: string,
  spec: JobSpec | undefined,
  { needsSelector }: { readonly needsSelector: boolean },
): FieldError[] {
  if (!spec) return [field.required(`${path}.template`)];
  const errors: FieldError[] = [];
  for (const name of counters) checkNotNegative(errors, `${path}.${name}`, spec[name]);
  if (needsSelector && spec.selector === undefined) errors.push(field.required(`${path}.selector`));
  else if (spec.selector) errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  if (spec.completionMode !== undefined) {
    checkOneOf(errors, `${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]);
    if (spec.completionMode === "Indexed" && spec.completions === undefined) {
      errors.push(field.required(`${path}.completions`, "when completion mode is Indexed"));
    }
  }
  if (spec.backoffLimitPerIndex !== undefined && spec.completionMode !== "Indexed") {
    errors.push(field.invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, "requires indexed completion mode"));
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(field.required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (spec.podFailurePolicy) validateFailurePolicy(errors, path, spec);
  checkOneOf(errors, `${path}.podReplacementPolicy`, spec.podReplacementPolicy, ["Failed", "TerminatingOrFailed"]);
  validatePodTemplate(errors, `${path}.template`, spec.template ?? {});
  const restartPolicy = spec.template?.spec?.restartPolicy;
  if (restartPolicy === "Always" || restartPolicy === "") {
    errors.push(field.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  } else checkOneOf(errors, `${path}.template.spec.restartPolicy`, restartPolicy, ["OnFailure", "Never"]);
  return errors;
}

function validateFailurePolicy(errors: FieldError[], path: string, { podFailurePolicy, template }: JobSpec): void {
  if (template?.spec?.restartPolicy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(field.invalid(`${path}.template.spec.restartPolicy`, template?.spec?.restartPolicy, detail));
  }
  podFailurePolicy?.rules?.forEach((rule, i) => {
    const rulePath = `${path}.podFailurePolicy.rules[${i}]`;
    checkOneOf(errors, `${rulePath}.action`, rule.action, ["Count", "FailIndex", "FailJob", "Ignore"]);
    const isOne = (rule.onExitCodes === undefined) !== !rule.onPodConditions?.length;
    if (!isOne) errors.push(field.invalid(rulePath, "", "specifying one of OnExitCodes and OnPodConditions is required"));
    const { operator, values } = rule.onExitCodes ?? {};
    if (rule.onExitCodes) checkOneOf(errors, `${rulePath}.onExitCodes.operator`, operator, ["In", "NotIn"]);
    if (operator === "In" && values?.includes(0)) {
      errors.push(field.invalid(`${rulePath}.onExitCodes.values`, 0, "must not be 0 for the In operator"));
    }
  });
}

export function validateJobUpdate({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec || !old) return errors;
  const isElastic = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!isElastic) checkImmutable(errors, "spec.completions", spec.completions, old.completions);
  checkImmutable(errors, "spec.selector", spec.selector, old.selector);
  // A suspended job that has not started may be told where to run.
  const isUnstarted = old.suspend === true && status?.startTime === undefined;
  if (!isUnstarted && !semanticEqual(spec.template, old.template)) {
    errors.push(field.invalid("spec.template", spec.template, "field is immutable"));
  }
  checkImmutable(errors, "spec.completionMode", spec.completionMode, old.completionMode);
  checkImmutable(errors, "spec.podFailurePolicy", spec.podFailurePolicy, old.podFailurePolicy);
  checkImmutable(errors, "spec.backoffLimitPerIndex", spec.backoffLimitPerIndex, old.backoffLimitPerIndex);
  checkImmutable(errors, "spec.managedBy", spec.managedBy, old.managedBy);
  checkImmutable(errors, "spec.successPolicy", spec.successPolicy, old.successPolicy);
  return errors;
}
