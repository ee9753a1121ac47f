// Validation of a job's policies: which failures of pods mean what, and which successes are enough.
import { type FieldError, field, isQualifiedName } from "../../machinery/index.ts";
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from "../types/batch/v1.ts";
import { checkMessages, checkNotNegative, checkRequiredOneOf } from "../validation/checks.ts";

const MAX_RULES = 20;
const MAX_PATTERNS = 20;
const MAX_EXIT_CODES = 255;
const MAX_SUCCEEDED_INDEXES_LENGTH = 64 * 1024;

export function validateFailurePolicy(errors: FieldError[], path: string, spec: JobSpec): void {
  const { podFailurePolicy, template } = spec;
  if (podFailurePolicy === undefined) return;
  if (template?.spec?.restartPolicy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(field.invalid(`${path}.template.spec.restartPolicy`, template?.spec?.restartPolicy, detail));
  }
  const rulesPath = `${path}.podFailurePolicy.rules`;
  const { rules = [] } = podFailurePolicy;
  if (rules.length > MAX_RULES) errors.push(field.tooMany(rulesPath, rules.length, MAX_RULES));
  rules.forEach((rule, i) => {
    validateFailureRule(errors, `${rulesPath}[${i}]`, rule, spec);
  });
}

function validateFailureRule(errors: FieldError[], path: string, rule: PodFailurePolicyRule, spec: JobSpec): void {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  checkRequiredOneOf(errors, `${path}.action`, action, ["Count", "FailIndex", "FailJob", "Ignore"]);
  if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    errors.push(field.invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"));
  }
  if (onExitCodes !== undefined) validateExitCodes(errors, `${path}.onExitCodes`, onExitCodes, spec);
  if (onPodConditions.length > 0) validateConditions(errors, `${path}.onPodConditions`, onPodConditions);
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(field.invalid(path, "", "specifying both OnExitCodes and OnPodConditions is not supported"));
  } else if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(field.invalid(path, "", "specifying one of OnExitCodes and OnPodConditions is required"));
  }
}

function validateExitCodes(
  errors: FieldError[],
  path: string,
  { operator, values = [], containerName }: NonNullable<PodFailurePolicyRule["onExitCodes"]>,
  { template }: JobSpec,
): void {
  checkRequiredOneOf(errors, `${path}.operator`, operator, ["In", "NotIn"]);
  const containers = [...(template?.spec?.containers ?? []), ...(template?.spec?.initContainers ?? [])];
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    errors.push(field.invalid(`${path}.containerName`, containerName, detail));
  }
  if (values.length === 0) errors.push(field.invalid(`${path}.values`, values, "at least one value is required"));
  else if (values.length > MAX_EXIT_CODES) errors.push(field.tooMany(`${path}.values`, values.length, MAX_EXIT_CODES));
  const seen = new Set<number>();
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) errors.push(field.invalid(`${path}.values[${i}]`, value, "must not be 0 for the In operator"));
    if (seen.has(value)) errors.push(field.duplicate(`${path}.values[${i}]`, value));
    seen.add(value);
  });
  if (values.some((value, i) => value < (values[i - 1] ?? value))) errors.push(field.invalid(`${path}.values`, values, "must be ordered"));
}

function validateConditions(errors: FieldError[], path: string, patterns: NonNullable<PodFailurePolicyRule["onPodConditions"]>): void {
  if (patterns.length > MAX_PATTERNS) errors.push(field.tooMany(path, patterns.length, MAX_PATTERNS));
  patterns.forEach(({ type, status }, i) => {
    checkMessages(errors, `${path}[${i}].type`, type, isQualifiedName(type));
    checkRequiredOneOf(errors, `${path}[${i}].status`, status, ["False", "True", "Unknown"]);
  });
}

export function validateSuccessPolicy(
  errors: FieldError[],
  path: string,
  { successPolicy, completionMode, completions = 0 }: JobSpec,
): void {
  if (successPolicy === undefined) return;
  if (completionMode !== "Indexed") return void errors.push(field.invalid(path, successPolicy, "requires indexed completion mode"));
  const { rules = [] } = successPolicy;
  if (rules.length === 0) {
    errors.push(field.required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified"));
  }
  if (rules.length > MAX_RULES) errors.push(field.tooMany(`${path}.rules`, rules.length, MAX_RULES));
  rules.forEach((rule, i) => {
    validateSuccessRule(errors, `${path}.rules[${i}]`, rule, completions);
  });
}

function validateSuccessRule(errors: FieldError[], path: string, rule: SuccessPolicyRule, completions: number): void {
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(field.required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let total: number | undefined;
  if (succeededIndexes !== undefined) {
    const indexesPath = `${path}.succeededIndexes`;
    if (succeededIndexes.length > MAX_SUCCEEDED_INDEXES_LENGTH) errors.push(field.tooLong(indexesPath, MAX_SUCCEEDED_INDEXES_LENGTH));
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === "number") total = counted;
    else errors.push(field.invalid(indexesPath, succeededIndexes, `error parsing succeededIndexes: ${counted.problem}`));
  }
  if (succeededCount === undefined) return;
  const countPath = `${path}.succeededCount`;
  checkNotNegative(errors, countPath, succeededCount);
  if (succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(field.invalid(countPath, succeededCount, detail));
  }
  if (total !== undefined && succeededCount > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(field.invalid(countPath, succeededCount, detail));
  }
}

/** How many indexes `1,3-5` names, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | { readonly problem: string } {
  let total = 0;
  let last: number | undefined;
  for (const part of text === "" ? [] : text.split(",")) {
    const limits = part.split("-");
    if (limits.length > 2) {
      const rule = "violates the requirement that an index interval can have at most two parts separated by '-'";
      return { problem: `the fragment ${JSON.stringify(part)} ${rule}` };
    }
    for (const limit of limits) {
      if (!/^[0-9]+$/.test(limit)) return { problem: `cannot convert string to integer for index: ${JSON.stringify(limit)}` };
      if (Number(limit) >= completions) return { problem: `too large index: ${JSON.stringify(limit)}` };
    }
    const [first = 0, end] = limits.map(Number);
    if (end !== undefined && first >= end) return { problem: `non-increasing order, previous: ${first}, current: ${end}` };
    if (last !== undefined && last >= first) return { problem: `non-increasing order, previous: ${last}, current: ${first}` };
    last = end ?? first;
    total += last - first + 1;
  }
  return total;
}
