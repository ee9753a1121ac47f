// How long a job waits after failures before it makes another pod: 10 s, doubled with each failure in a row, up to 10 min.
import { getCondition, isSidecar } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { allIndexFailures } from "./job-pod.ts";

const FIRST_MS = 10_000;
const MAX_MS = 600_000;

export interface FailureRecord {
  readonly failuresAfterLastSuccess: number;
  readonly lastFailureMs: number;
}

export const NO_FAILURES: FailureRecord = { failuresAfterLastSuccess: 0, lastFailureMs: 0 };

type Pods = readonly DeepReadonly<Pod>[];

/** The record when these pods have ended as well. A success ends the series of failures. */
export function recordFailures(
  record: FailureRecord,
  { succeeded, failed }: { readonly succeeded: Pods; readonly failed: Pods },
): FailureRecord {
  const failedMs = failed.map(finishedMs);
  if (succeeded.length === 0) {
    if (failed.length === 0) return record;
    return { failuresAfterLastSuccess: record.failuresAfterLastSuccess + failed.length, lastFailureMs: Math.max(...failedMs) };
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedMs));
  const later = failedMs.filter((atMs) => atMs > lastSuccessMs);
  return later.length === 0 ? NO_FAILURES : { failuresAfterLastSuccess: later.length, lastFailureMs: Math.max(...later) };
}

export function remainingBackoffMs({ failuresAfterLastSuccess, lastFailureMs }: FailureRecord, nowMs: number): number {
  if (failuresAfterLastSuccess === 0) return 0;
  const backoffMs = Math.min(FIRST_MS * 2 ** (failuresAfterLastSuccess - 1), MAX_MS);
  return Math.max(0, backoffMs - (nowMs - lastFailureMs));
}

/** The same for one index, whose failures its last failed pod tells. */
export function remainingIndexBackoffMs(lastFailed: DeepReadonly<Pod> | undefined, nowMs: number): number {
  if (lastFailed === undefined) return 0;
  const record = { failuresAfterLastSuccess: allIndexFailures(lastFailed) + 1, lastFailureMs: finishedMs(lastFailed) };
  return remainingBackoffMs(record, nowMs);
}

/**
 * When a pod ended: by its containers, or its Ready condition, or its deletion, or else its creation.
 * @see kubernetes `pkg/controller/job/backoff_utils.go`, getFinishedTime
 */
export function finishedMs(pod: DeepReadonly<Pod>): number {
  const { metadata, spec, status } = pod;
  const sidecars = new Set((spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const containers = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ];
  const ends = containers.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends);
  const ready = getCondition(status?.conditions, "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime !== undefined) return Date.parse(ready.lastTransitionTime);
  if (metadata.deletionTimestamp !== undefined)
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}
