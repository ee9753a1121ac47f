// Job: defaults, its generated selector, validation, columns.

import { selectorText } from "../apps/workload.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { getCondition } from "../pod-state.ts";
import { ageColumn, column, containerColumns, nameColumn, wideColumn } from "../printing/columns.ts";
import { humanDuration } from "../printing/duration.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Job, JobSpec } from "../types/batch/v1.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateIndexedName, validateJobSpec, validateJobUpdate } from "./job-validation.ts";

function applyJobSpecDefaults(spec: JobSpec): void {
  // Neither given: one pod that must succeed. With parallelism alone it is a work queue.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  applyPodTemplateDefaults(spec.template);
}

/** A job finds its pods by its own uid, unless the client says otherwise. */
function generateSelector(job: Job): void {
  const { spec, metadata } = job;
  if (!spec || spec.manualSelector || !metadata.uid || !spec.template) return;
  const name = metadata.name ?? "";
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    ...spec.template.metadata.labels,
    "batch.kubernetes.io/controller-uid": metadata.uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": metadata.uid,
    "job-name": name,
  };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels, "batch.kubernetes.io/controller-uid": metadata.uid };
}

function statusCell(job: Job): string {
  const isTrue = (type: string): boolean => getCondition(job.status?.conditions, type)?.status === "True";
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  if (isTrue("Suspended")) return "Suspended";
  if (isTrue("FailureTarget")) return "FailureTarget";
  return isTrue("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return "";
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(endMs - Date.parse(status.startTime));
}

const HUGE_INDEXED_WARNING =
  "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";

function isHugeIndexed({ completions = 0, parallelism = 0 }: JobSpec): boolean {
  return completions > 100_000 && parallelism > 10_000;
}

export const jobStrategy: KindStrategy<Job> = {
  applyDefaults(job) {
    if (job.spec) applyJobSpecDefaults(job.spec);
    const labels = job.spec?.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
  },
  prepareForCreate(job) {
    generateSelector(job);
    job.status = {};
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate: (job) => [...validateIndexedName(job), ...validateJobSpec("spec", job.spec, { needsSelector: true })],
  validateUpdate: validateJobUpdate,
  warnings: ({ spec }) => (spec?.completionMode === "Indexed" && isHugeIndexed(spec) ? [HUGE_INDEXED_WARNING] : []),
  hasGeneration: true,
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    column("Status", statusCell),
    column("Completions", completionsCell),
    column("Duration", durationCell),
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec?.template.spec?.containers),
    wideColumn("Selector", ({ spec }) => selectorText(spec?.selector)),
  ],
};
