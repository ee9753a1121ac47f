// What a job's pods say: which count, how many have ended how, which indexes are done. All decisions read this.
import { IndexSet, podReady } from "../../api/index.ts";
import type { Job } from "../../api/types/batch/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { activePods, terminatingPods } from "../replicaset/plan.ts";
import { matchFailurePolicy } from "./failure-policy.ts";
import { type FailureRecord, finishedMs, recordFailures } from "./job-backoff.ts";
import { allIndexFailures, completionIndexOf, hasLimitPerIndex, indexFailures, isFailed, isIndexed, isTracked } from "./job-pod.ts";

type ReadonlyPod = DeepReadonly<Pod>;

export interface JobSnapshot {
  readonly job: DeepReadonly<Job>;
  readonly pods: readonly ReadonlyPod[];
  /** Uids of pods that have lost the tracking finalizer already, whatever the informer shows. */
  readonly released: ReadonlySet<string>;
  /** All pods that were made and deleted have been seen. */
  readonly isCurrent: boolean;
  /** Failures up to the last look. */
  readonly failures: FailureRecord;
  readonly nowMs: number;
}

export interface IndexView {
  /** Succeeded, as the status knows already. */
  readonly counted: IndexSet;
  readonly succeeded: IndexSet;
  /** Undefined without backoffLimitPerIndex. */
  readonly failed: IndexSet | undefined;
  /** Failed pods that wait to be replaced: their count of failures goes to the replacement. */
  readonly delayed: ReadonlyMap<number, ReadonlyPod>;
}

export interface JobView {
  readonly active: readonly ReadonlyPod[];
  readonly terminating: readonly ReadonlyPod[];
  readonly ready: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly failures: FailureRecord;
  /** Undefined for jobs without indexes. */
  readonly indexes: IndexView | undefined;
}

export function isUncounted({ pods: _, released }: JobSnapshot, pod: ReadonlyPod): boolean {
  return isTracked(pod) && !released.has(pod.metadata.uid ?? "");
}

export function viewJob(snapshot: JobSnapshot): JobView {
  const { job, pods } = snapshot;
  const active = activePods(pods);
  const { uncountedTerminatedPods: uncounted, succeeded = 0, failed = 0 } = job.status ?? {};
  const isNew = (pod: ReadonlyPod, known: readonly string[] = []) =>
    isUncounted(snapshot, pod) && !known.includes(pod.metadata.uid ?? "") && (!isIndexed(job) || completionIndexOf(job, pod) !== undefined);
  const newSucceeded = pods.filter((pod) => pod.status?.phase === "Succeeded" && isNew(pod, uncounted?.succeeded));
  const newFailed = pods.filter((pod) => isFailed(job, pod) && isNew(pod, uncounted?.failed));
  const counting = newFailed.filter((pod) => matchFailurePolicy(job.spec?.podFailurePolicy, pod)?.action !== "Ignore");
  const indexes = isIndexed(job) ? viewIndexes(job, pods, active) : undefined;
  return {
    active,
    terminating: terminatingPods(pods),
    ready: active.filter(podReady).length,
    succeeded: indexes?.succeeded.size ?? succeeded + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed: failed + counting.length + (uncounted?.failed?.length ?? 0),
    failures: recordFailures(snapshot.failures, { succeeded: newSucceeded, failed: newFailed }),
    indexes,
  };
}

function viewIndexes(job: DeepReadonly<Job>, pods: readonly ReadonlyPod[], active: readonly ReadonlyPod[]): IndexView {
  const completions = job.spec?.completions ?? 0;
  const counted = IndexSet.parse(job.status?.completedIndexes, completions);
  const succeeded = counted.union(
    indexesOf(
      job,
      pods.filter((pod) => pod.status?.phase === "Succeeded" && isTracked(pod)),
    ),
  );
  if (!hasLimitPerIndex(job)) return { counted, succeeded, failed: undefined, delayed: new Map() };
  const failedPods = pods.filter((pod) => isTracked(pod) && isIndexFailed(job, pod));
  const failed = IndexSet.parse(job.status?.failedIndexes, completions).union(indexesOf(job, failedPods));
  return { counted, succeeded, failed, delayed: delayedPods(job, pods, indexesOf(job, active).union(succeeded).union(failed)) };
}

export function indexesOf(job: DeepReadonly<Job>, pods: readonly ReadonlyPod[]): IndexSet {
  return IndexSet.of(pods.map((pod) => completionIndexOf(job, pod)).filter((index) => index !== undefined));
}

/** Whether no further pod is made for the failed pod's index. */
function isIndexFailed(job: DeepReadonly<Job>, pod: ReadonlyPod): boolean {
  if (!isFailed(job, pod)) return false;
  const action = matchFailurePolicy(job.spec?.podFailurePolicy, pod)?.action;
  if (action === "FailIndex") return true;
  return action !== "Ignore" && indexFailures(pod) >= (job.spec?.backoffLimitPerIndex ?? 0);
}

function delayedPods(job: DeepReadonly<Job>, pods: readonly ReadonlyPod[], settled: IndexSet): ReadonlyMap<number, ReadonlyPod> {
  const delayed = new Map<number, ReadonlyPod>();
  for (const pod of pods) {
    const index = completionIndexOf(job, pod);
    if (index === undefined || settled.has(index) || !isTracked(pod) || !isFailed(job, pod)) continue;
    const other = delayed.get(index);
    const isLater = other === undefined || (allIndexFailures(other) <= allIndexFailures(pod) && finishedMs(other) <= finishedMs(pod));
    if (isLater) delayed.set(index, pod);
  }
  return delayed;
}
