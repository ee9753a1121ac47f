// A Job's status from one look to the next: counts of pods, start, suspension, the end.
import { getCondition } from "../../api/index.ts";
import type { Job, JobCondition, JobStatus } from "../../api/types/batch/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { isSuspended, type JobPlan, type Verdict } from "./plan.ts";

type Status = DeepReadonly<JobStatus>;

/** Pods as they are after the plan was carried out. */
export interface PodCounts {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
}

/** The status with these counts; what is counted by tracking is not touched here. */
export function nextStatus(job: DeepReadonly<Job>, plan: JobPlan, counts: PodCounts, nowMs: number): Status {
  const { status = {} } = job;
  const suspension = plan.isManaged ? suspensionOf(job) : undefined;
  const conditions = suspension === undefined ? status.conditions : withCondition(status.conditions, suspension, nowMs);
  const isResumed = suspension?.status === "False" && conditions !== status.conditions;
  const startTime = isResumed || (status.startTime === undefined && !isSuspended(job)) ? formatTime(nowMs) : status.startTime;
  return {
    ...status,
    ...(conditions === undefined ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    uncountedTerminatedPods: status.uncountedTerminatedPods ?? {},
    active: counts.active,
    ready: counts.ready,
    terminating: counts.terminating,
  };
}

function suspensionOf(job: DeepReadonly<Job>): Omit<JobCondition, "lastTransitionTime"> {
  return isSuspended(job)
    ? { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" }
    : { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" };
}

/** The same list when nothing changes. A condition that never was true is not made false. */
export function withCondition(
  conditions: Status["conditions"],
  wanted: Omit<JobCondition, "lastTransitionTime">,
  nowMs: number,
): Status["conditions"] {
  const known = getCondition(conditions, wanted.type);
  if (known === undefined && wanted.status === "False") return conditions;
  const isSame = known?.status === wanted.status && (known.reason ?? "") === wanted.reason && (known.message ?? "") === wanted.message;
  if (isSame) return conditions;
  const now = formatTime(nowMs);
  const condition = { lastProbeTime: now, lastTransitionTime: now, ...wanted };
  if (known === undefined) return [...(conditions ?? []), condition];
  return conditions?.map((each) => (each === known ? condition : each));
}

/** Whether so many successes are enough, and nothing runs any more. */
export function isComplete({ spec }: DeepReadonly<Job>, succeeded: number, active: number): boolean {
  if (active > 0) return false;
  return spec?.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
}

export interface Finish {
  readonly status: Status;
  /** The condition that ends the job; undefined while pods are uncounted or still there. */
  readonly condition: DeepReadonly<JobCondition> | undefined;
}

/** Ends the job when every pod has been counted and has gone. */
export function finishJob(status: Status, verdict: Verdict | undefined, nowMs: number): Finish {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (verdict === undefined || succeeded.length + failed.length > 0 || (status.terminating ?? 0) > 0)
    return { status, condition: undefined };
  const isSuccess = verdict.type === "SuccessCriteriaMet";
  const { reason, message } = verdict;
  const conditions = withCondition(status.conditions, { type: isSuccess ? "Complete" : "Failed", status: "True", reason, message }, nowMs);
  const condition = conditions?.at(-1);
  return {
    status: { ...status, ...(conditions === undefined ? {} : { conditions }), ...(isSuccess ? { completionTime: formatTime(nowMs) } : {}) },
    condition,
  };
}
