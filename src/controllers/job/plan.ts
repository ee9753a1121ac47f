// What to do about a Job: whether it is over and why, and which pods to make or delete.
// @see kubernetes `pkg/controller/job/job_controller.go`, syncJob and manageJob
import { getCondition, IndexSet } from "../../api/index.ts";
import type { Job, JobCondition } from "../../api/types/batch/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly, OwnerReference } from "../../machinery/index.ts";
import { leastMissed } from "../replicaset/plan.ts";
import { matchFailurePolicy } from "./failure-policy.ts";
import { remainingBackoffMs, remainingIndexBackoffMs } from "./job-backoff.ts";
import { completionIndexOf, hasLimitPerIndex, isFailed, isIndexed, jobPod, replacesOnlyFailed } from "./job-pod.ts";
import { indexesOf, type JobSnapshot, type JobView } from "./job-view.ts";
import { matchSuccessPolicy } from "./success-policy.ts";

type ReadonlyPod = DeepReadonly<Pod>;

/** Pods made or deleted in one go; the rest follows in the next. */
const MAX_PODS_PER_SYNC = 500;

/** That the job is over: the interim condition, which is written before its pods are let go. */
export interface Verdict {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
}

export interface JobPlan {
  readonly verdict: Verdict | undefined;
  readonly create: readonly ReadonlyPod[];
  readonly delete: readonly ReadonlyPod[];
  /** Whether the number of pods was looked at: only then is it known if the job is suspended or complete. */
  readonly isManaged: boolean;
  /** When to look again, if nothing happens before. */
  readonly wakeInMs: number;
}

export function isSuspended({ spec }: DeepReadonly<Job>): boolean {
  return spec?.suspend === true;
}

export function isJobFinished({ status }: DeepReadonly<Job>): boolean {
  return (status?.conditions ?? []).some(({ type, status: state }) => (type === "Complete" || type === "Failed") && state === "True");
}

export function planJob(snapshot: JobSnapshot, view: JobView, owner: OwnerReference): JobPlan {
  const { job, isCurrent } = snapshot;
  const verdict = verdictOn(snapshot, view);
  const nothing = { verdict, create: [], delete: [], isManaged: false, wakeInMs: deadlineInMs(snapshot) };
  if (!isCurrent) return nothing;
  if (verdict !== undefined) return { ...nothing, delete: view.active, wakeInMs: Number.POSITIVE_INFINITY };
  if (job.metadata.deletionTimestamp !== undefined) return nothing;
  const managed = managePods(snapshot, view, owner);
  return { ...nothing, ...managed, isManaged: true, wakeInMs: Math.min(nothing.wakeInMs, managed.wakeInMs) };
}

/** What the status says already stands; then failures, then success by policy. */
function verdictOn(snapshot: JobSnapshot, view: JobView): Verdict | undefined {
  const { job, pods } = snapshot;
  const known = knownVerdict(job.status?.conditions ?? []);
  if (known !== undefined) return known;
  const failed = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message });
  const message = failJobMessage(job, pods);
  if (message !== undefined) return failed("PodFailurePolicy", message);
  if (view.failed > (job.spec?.backoffLimit ?? 6) || isPastRestartLimit(job, pods))
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  if (deadlineInMs(snapshot) <= 0) return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  if (view.indexes === undefined) return undefined;
  const { succeeded, failed: failedIndexes = IndexSet.empty } = view.indexes;
  const { maxFailedIndexes = Number.POSITIVE_INFINITY, completions = 0, successPolicy } = job.spec ?? {};
  if (failedIndexes.size > maxFailedIndexes)
    return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  if (failedIndexes.size > 0 && failedIndexes.size + succeeded.size >= completions)
    return failed("FailedIndexes", "Job has failed indexes");
  const matched = matchSuccessPolicy(successPolicy, succeeded, completions);
  return matched === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: matched };
}

function knownVerdict(conditions: readonly DeepReadonly<JobCondition>[]): Verdict | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = getCondition(conditions, type);
    if (condition?.status === "True") return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}

function failJobMessage(job: DeepReadonly<Job>, pods: readonly ReadonlyPod[]): string | undefined {
  if (job.spec?.podFailurePolicy === undefined) return undefined;
  const matches = pods.filter((pod) => isFailed(job, pod)).map((pod) => matchFailurePolicy(job.spec?.podFailurePolicy, pod));
  return matches.find((match) => match?.action === "FailJob")?.message;
}

/** With restartPolicy OnFailure containers are restarted in their pods; the restarts count. */
function isPastRestartLimit({ spec }: DeepReadonly<Job>, pods: readonly ReadonlyPod[]): boolean {
  if (spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) restarts += restartCount;
  }
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Until activeDeadlineSeconds are over; it does not run while the job is suspended. */
function deadlineInMs({ job, nowMs }: JobSnapshot): number {
  const { activeDeadlineSeconds } = job.spec ?? {};
  if (activeDeadlineSeconds === undefined || isSuspended(job)) return Number.POSITIVE_INFINITY;
  const startMs = Date.parse(job.status?.startTime ?? formatTime(nowMs));
  return startMs + activeDeadlineSeconds * 1000 - nowMs;
}

type Management = Pick<JobPlan, "create" | "delete" | "wakeInMs">;

function managePods(snapshot: JobSnapshot, view: JobView, owner: OwnerReference): Management {
  const { job } = snapshot;
  const { active } = view;
  const wanted = isSuspended(job) ? 0 : wantedActive(job, view);
  const surplus = podsForRemoval(snapshot, active, Math.max(0, active.length - wanted));
  // Never both at once: deletion goes first.
  if (surplus.length > 0) {
    return { create: [], delete: isSuspended(job) ? surplus : surplus.slice(0, MAX_PODS_PER_SYNC), wakeInMs: Number.POSITIVE_INFINITY };
  }
  const waiting = replacesOnlyFailed(job) ? view.terminating.length : 0;
  const missing = Math.min(wanted - waiting - active.length, MAX_PODS_PER_SYNC);
  if (isSuspended(job) || missing <= 0) return { create: [], delete: [], wakeInMs: Number.POSITIVE_INFINITY };
  return createPods(snapshot, view, { owner, missing });
}

/** Not more than are still needed; of a work queue none any more once one pod has succeeded. */
function wantedActive({ spec }: DeepReadonly<Job>, { active, succeeded }: JobView): number {
  const { completions, parallelism = 1 } = spec ?? {};
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

function createPods(
  { job, nowMs }: JobSnapshot,
  view: JobView,
  { owner, missing }: { readonly owner: OwnerReference; readonly missing: number },
): Management {
  const waitMs = hasLimitPerIndex(job) ? 0 : remainingBackoffMs(view.failures, nowMs);
  if (waitMs > 0) return { create: [], delete: [], wakeInMs: waitMs };
  if (view.indexes === undefined) {
    return { create: Array(missing).fill(jobPod(job, { owner })), delete: [], wakeInMs: Number.POSITIVE_INFINITY };
  }
  const { delayed } = view.indexes;
  const pending = pendingIndexes(job, view, missing);
  const waits = pending.map((index) => (hasLimitPerIndex(job) ? remainingIndexBackoffMs(delayed.get(index), nowMs) : 0));
  const create = pending.filter((_, i) => waits[i] === 0).map((index) => jobPod(job, { owner, index, replaced: delayed.get(index) }));
  return { create, delete: [], wakeInMs: Math.min(Number.POSITIVE_INFINITY, ...waits.filter((each) => each > 0)) };
}

function pendingIndexes(job: DeepReadonly<Job>, { active, terminating, indexes }: JobView, count: number): readonly number[] {
  let taken = indexesOf(job, active).union(indexes?.succeeded ?? IndexSet.empty);
  if (indexes?.failed !== undefined) taken = taken.union(indexes.failed);
  if (replacesOnlyFailed(job)) taken = taken.union(indexesOf(job, terminating));
  return taken.firstMissing(count, job.spec?.completions ?? 0);
}

/** At least `atLeast` pods; of an indexed job also those without a proper index of their own. */
function podsForRemoval({ job, nowMs }: JobSnapshot, active: readonly ReadonlyPod[], atLeast: number): readonly ReadonlyPod[] {
  if (!isIndexed(job)) return leastMissed(active, atLeast, nowMs);
  const byIndex = new Map<number, ReadonlyPod[]>();
  const removed: ReadonlyPod[] = [];
  for (const pod of active) {
    const index = completionIndexOf(job, pod);
    if (index === undefined) removed.push(pod);
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  for (const pods of byIndex.values()) removed.push(...leastMissed(pods, pods.length - 1, nowMs));
  const left = active.filter((pod) => !removed.includes(pod));
  return [...removed, ...leastMissed(left, Math.max(0, atLeast - removed.length), nowMs)];
}
