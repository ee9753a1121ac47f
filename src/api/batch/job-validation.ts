// Validation of jobs and of the job templates of CronJobs.
import { type FieldError, field, isDns1123Label, validateLabelSelector } from "../../machinery/index.ts";
import { validatePodTemplate } from "../core/pod-spec/validate.ts";
import type { Job, JobSpec } from "../types/batch/v1.ts";
import type { PodTemplateSpec } from "../types/core/v1.ts";
import { checkImmutable, checkNotNegative, checkOneOf } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";

/** Indexes that have ended are listed in the status, whose size these limits bound. */
const MANY_INDEXES = 100_000;
const MAX_FAILED_OF_MANY = 10_000;
const MAX_MANAGED_BY_LENGTH = 63;

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
  validateIndexing(errors, path, spec);
  validateManagedBy(errors, `${path}.managedBy`, spec.managedBy);
  validateFailurePolicy(errors, path, spec);
  validateSuccessPolicy(errors, `${path}.successPolicy`, spec);
  checkOneOf(
    errors,
    `${path}.podReplacementPolicy`,
    spec.podReplacementPolicy,
    spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"],
  );
  validatePodTemplate(errors, `${path}.template`, spec.template ?? {});
  const restartPolicy = spec.template?.spec?.restartPolicy;
  if (restartPolicy === "Always" || restartPolicy === "") {
    errors.push(field.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  } else checkOneOf(errors, `${path}.template.spec.restartPolicy`, restartPolicy, ["OnFailure", "Never"]);
  return errors;
}

/** The pods of an indexed job are named after it: the last one must have a name still. */
export function validateIndexedName({ metadata, spec }: Job): FieldError[] {
  const { completionMode, completions = 0 } = spec ?? {};
  if (completionMode !== "Indexed" || completions === 0) return [];
  const { name = "" } = metadata;
  return isDns1123Label(`${name}-${completions - 1}`).map((message) =>
    field.invalid("metadata.name", name, `will not able to create pod with invalid DNS label: ${message}`),
  );
}

function validateManagedBy(errors: FieldError[], path: string, managedBy: string | undefined): void {
  if (managedBy === undefined) return;
  if (!/^[^/]+\.[^/]+\/.+$/.test(managedBy))
    errors.push(field.invalid(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  if (managedBy.length > MAX_MANAGED_BY_LENGTH) errors.push(field.tooLong(path, MAX_MANAGED_BY_LENGTH));
}

function validateIndexing(errors: FieldError[], path: string, spec: JobSpec): void {
  const { completionMode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const isIndexed = completionMode === "Indexed";
  checkOneOf(errors, `${path}.completionMode`, completionMode, ["Indexed", "NonIndexed"]);
  if (backoffLimitPerIndex !== undefined && !isIndexed) {
    errors.push(field.invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, "requires indexed completion mode"));
  }
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(field.required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (!isIndexed) return;
  if (completions === undefined) errors.push(field.required(`${path}.completions`, "when completion mode is Indexed"));
  const atMost = (name: string, value: number | undefined, limit: number, when: string) => {
    if (value !== undefined && value > limit)
      errors.push(field.invalid(`${path}.${name}`, value, `must be less than or equal to ${limit}${when}`));
  };
  atMost("parallelism", parallelism, MANY_INDEXES, " when completion mode is Indexed");
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.push(field.invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"));
  }
  atMost("maxFailedIndexes", maxFailedIndexes, MANY_INDEXES, "");
  if ((completions ?? 0) <= MANY_INDEXES || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    errors.push(field.required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_INDEXES}`));
  }
  const when = ` when completions are above ${MANY_INDEXES} and used with backoff limit per index`;
  atMost("parallelism", parallelism, MAX_FAILED_OF_MANY, when);
  atMost("maxFailedIndexes", maxFailedIndexes, MAX_FAILED_OF_MANY, when);
}

export function validateJobUpdate({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec || !old) return errors;
  validateCompletionsUpdate(errors, spec, old);
  checkImmutable(errors, "spec.selector", spec.selector, old.selector);
  // A suspended job that has not started may be told where to run.
  const isUnstarted = old.suspend === true && status?.startTime === undefined;
  const allowed = isUnstarted ? withSchedulingOf(spec.template, old.template) : old.template;
  if (!semanticEqual(spec.template, allowed)) errors.push(field.invalid("spec.template", spec.template, "field is immutable"));
  checkImmutable(errors, "spec.completionMode", spec.completionMode, old.completionMode);
  checkImmutable(errors, "spec.podFailurePolicy", spec.podFailurePolicy, old.podFailurePolicy);
  checkImmutable(errors, "spec.backoffLimitPerIndex", spec.backoffLimitPerIndex, old.backoffLimitPerIndex);
  checkImmutable(errors, "spec.managedBy", spec.managedBy, old.managedBy);
  checkImmutable(errors, "spec.successPolicy", spec.successPolicy, old.successPolicy);
  return errors;
}

/** An indexed job may grow or shrink as a whole. */
function validateCompletionsUpdate(errors: FieldError[], { completionMode, completions, parallelism }: JobSpec, old: JobSpec): void {
  if (completionMode !== "Indexed") checkImmutable(errors, "spec.completions", completions, old.completions);
  else if (completions !== undefined && completions !== old.completions && completions !== parallelism) {
    errors.push(field.invalid("spec.completions", completions, "can only be modified in tandem with spec.parallelism"));
  }
}

/** `old` with what `template` says about where its pods may run, and with its labels and annotations. */
function withSchedulingOf(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations } = template.metadata ?? {};
  const metadata = present({ ...old.metadata, labels, annotations });
  if (old.spec === undefined) return { ...old, metadata };
  const { nodeSelector, tolerations, schedulingGates, affinity } = template.spec ?? { containers: [] };
  const allowed = present({ ...old.spec.affinity, nodeAffinity: affinity?.nodeAffinity });
  return { ...old, metadata, spec: { ...old.spec, nodeSelector, tolerations, schedulingGates, affinity: allowed } };
}

/** `object` without members that are undefined: without any left it counts as absent. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
