// Counts a job's ended pods exactly once. A pod holds a finalizer until it stands in status.uncountedTerminatedPods (or its
// index in completedIndexes); then the finalizer goes, and when it is gone the pod moves to the counters.
// @see kubernetes `pkg/controller/job/job_controller.go`, trackJobStatusAndRemoveFinalizers
import { IndexSet } from "../../api/index.ts";
import type { JobStatus } from "../../api/types/batch/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { matchFailurePolicy } from "./failure-policy.ts";
import { completionIndexOf, hasLimitPerIndex, isFailed, isIndexed } from "./job-pod.ts";
import { isUncounted, type JobSnapshot, type JobView } from "./job-view.ts";
import type { Verdict } from "./plan.ts";
import { withCondition } from "./status.ts";

type Status = DeepReadonly<JobStatus>;
type ReadonlyPod = DeepReadonly<Pod>;

/** So that the uids in the status stay below 20 KB. */
const MAX_UNCOUNTED = 500;

export interface Tracking {
  /** To be stored before a finalizer goes. */
  readonly status: Status;
  /** Pods that may lose the finalizer then. */
  readonly release: readonly ReadonlyPod[];
  /** False: there are more ended pods than fit into one status. */
  readonly isAll: boolean;
}

export interface TrackingInput {
  readonly snapshot: JobSnapshot;
  readonly view: JobView;
  readonly verdict: Verdict | undefined;
  /** With the counts of pods that are there. */
  readonly status: Status;
}

export function trackPods(input: TrackingInput): Tracking {
  const { snapshot, view, verdict } = input;
  const { job } = snapshot;
  const counted = countReleased(input.status, new Set(trackedUids(snapshot)));
  const known = counted.uncountedTerminatedPods ?? {};
  const succeeded = [...(known.succeeded ?? [])];
  const failed = [...(known.failed ?? [])];
  const indexes: number[] = [];
  const release: ReadonlyPod[] = [];
  let isAll = true;
  for (const pod of inOrder(input)) {
    if (succeeded.length + failed.length + indexes.length >= MAX_UNCOUNTED) {
      isAll = false;
      break;
    }
    release.push(pod);
    const uid = pod.metadata.uid ?? "";
    const index = completionIndexOf(job, pod);
    const isValid = !isIndexed(job) || index !== undefined;
    if (pod.status?.phase === "Succeeded" && !failed.includes(uid)) {
      if (isIndexed(job)) indexes.push(...(index === undefined ? [] : [index]));
      else if (!succeeded.includes(uid)) succeeded.push(uid);
    } else if (isFailed(job, pod) || verdict?.type === "FailureTarget") {
      const isIgnored = matchFailurePolicy(job.spec?.podFailurePolicy, pod)?.action === "Ignore";
      if (isValid && !isIgnored && !failed.includes(uid)) failed.push(uid);
    }
  }
  const uncountedTerminatedPods = { ...(succeeded.length === 0 ? {} : { succeeded }), ...(failed.length === 0 ? {} : { failed }) };
  const status = { ...counted, ...indexStatus(view, indexes), uncountedTerminatedPods };
  if (verdict === undefined) return { status, release, isAll };
  const conditions = withCondition(status.conditions, { ...verdict, status: "True" }, snapshot.nowMs);
  return { status: { ...status, ...(conditions === undefined ? {} : { conditions }) }, release, isAll };
}

/** Pods that can be counted and let go, those of an indexed job by index. */
function inOrder({ snapshot, view, verdict }: TrackingInput): readonly ReadonlyPod[] {
  const { job, pods } = snapshot;
  const isDone = verdict !== undefined || job.metadata.deletionTimestamp !== undefined;
  const delayed = new Set(view.indexes?.delayed.values());
  const countable = pods.filter((pod) => {
    if (!isUncounted(snapshot, pod)) return false;
    if (isDone || pod.status?.phase === "Succeeded") return true;
    return isFailed(job, pod) && !(hasLimitPerIndex(job) && delayed.has(pod));
  });
  if (!isIndexed(job)) return countable;
  return countable.sort((a, b) => (completionIndexOf(job, a) ?? -1) - (completionIndexOf(job, b) ?? -1));
}

function indexStatus({ indexes }: JobView, newlySucceeded: readonly number[]): Partial<Status> {
  if (indexes === undefined) return {};
  const all = indexes.counted.union(IndexSet.of(newlySucceeded));
  const failedIndexes = indexes.failed?.toString();
  return { completedIndexes: all.toString(), succeeded: all.size, ...(failedIndexes === undefined ? {} : { failedIndexes }) };
}

/** Uids of pods that hold the finalizer. */
export function trackedUids(snapshot: JobSnapshot): readonly string[] {
  return snapshot.pods.filter((pod) => isUncounted(snapshot, pod)).map(({ metadata }) => metadata.uid ?? "");
}

/** Moves pods that hold no finalizer any more from the uncounted ones to the counters. */
export function countReleased(status: Status, tracked: ReadonlySet<string>): Status {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const left = { succeeded: succeeded.filter((uid) => tracked.has(uid)), failed: failed.filter((uid) => tracked.has(uid)) };
  if (left.succeeded.length === succeeded.length && left.failed.length === failed.length) return status;
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - left.succeeded.length,
    failed: (status.failed ?? 0) + failed.length - left.failed.length,
    uncountedTerminatedPods: {
      ...(left.succeeded.length === 0 ? {} : { succeeded: left.succeeded }),
      ...(left.failed.length === 0 ? {} : { failed: left.failed }),
    },
  };
}
