// What to do about a CronJob now: which of its jobs are over, whether one is due, and when to look again.
// @see kubernetes `pkg/controller/cronjob/cronjob_controllerv2.go`, syncCronJob
import type { CronJob, CronJobStatus, Job, JobCondition } from "../../api/types/batch/v1.ts";
import type { ObjectReference } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

type ReadonlyJob = DeepReadonly<Job>;

export interface CronSnapshot {
  readonly cronJob: DeepReadonly<CronJob>;
  /** Those that it controls. */
  readonly jobs: readonly ReadonlyJob[];
  /** Uids of active jobs that are gone. */
  readonly missing: ReadonlySet<string>;
  readonly nowMs: number;
  /** For schedules that name no zone. Default UTC. */
  readonly localTimeZone?: string | undefined;
}

export interface CronEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface CronPlan {
  /** Before a job is made. */
  readonly status: DeepReadonly<CronJobStatus>;
  readonly events: readonly CronEvent[];
  /** Active jobs that give way to the next. */
  readonly replace: readonly DeepReadonly<ObjectReference>[];
  /** When the job to make now was due. */
  readonly dueMs: number | undefined;
  /** Ended jobs beyond the history limits. */
  readonly expired: readonly ReadonlyJob[];
  readonly wakeInMs: number | undefined;
}

/** So that the time has surely come when the controller looks. */
const WAKE_DELAY_MS = 100;
/** With more missed starts something is wrong: a clock, or a controller that was away for long. */
const MANY_MISSED = 100;

const normal = (reason: string, message: string): CronEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): CronEvent => ({ type: "Warning", reason, message });

export function planCronJob(snapshot: CronSnapshot): CronPlan {
  const { cronJob } = snapshot;
  const { status, events } = followJobs(snapshot);
  const base = { status, events, replace: [], dueMs: undefined, expired: expiredJobs(snapshot), wakeInMs: undefined };
  if (cronJob.metadata.deletionTimestamp !== undefined || cronJob.spec.suspend === true) return base;
  const { schedule, problem } = scheduleOf(snapshot);
  if (schedule === undefined) return { ...base, events: [...events, problem] };
  const start = planStart(snapshot, schedule, status);
  const next = schedule.next(snapshot.nowMs);
  const wakeInMs = next === undefined ? undefined : next - snapshot.nowMs + WAKE_DELAY_MS;
  return { ...base, ...start, events: [...events, ...start.events], wakeInMs };
}

/** `name-` and the minutes since 1970: two controllers make no second job for the same time. */
export function jobNameAt({ metadata }: DeepReadonly<CronJob>, dueMs: number): string {
  return `${metadata.name}-${Math.floor(dueMs / 60_000)}`;
}

function scheduleOf({
  cronJob: { spec },
  localTimeZone,
}: CronSnapshot): { schedule: Schedule; problem: undefined } | { schedule: undefined; problem: CronEvent } {
  try {
    return { schedule: parseSchedule(spec.schedule, spec.timeZone ?? localTimeZone), problem: undefined };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const problem = warning("UnparseableSchedule", `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${text}`);
    return { schedule: undefined, problem };
  }
}

export function finishedCondition({ status }: ReadonlyJob): DeepReadonly<JobCondition> | undefined {
  return status?.conditions?.find(({ type, status: state }) => (type === "Complete" || type === "Failed") && state === "True");
}

/** Takes jobs that have ended or vanished off the list of active ones. */
function followJobs({ cronJob, jobs, missing }: CronSnapshot): {
  readonly status: DeepReadonly<CronJobStatus>;
  readonly events: CronEvent[];
} {
  const { status = {} } = cronJob;
  let active = status.active ?? [];
  let lastSuccessfulTime = status.lastSuccessfulTime;
  const events: CronEvent[] = [];
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    const isActive = active.some((reference) => reference.uid === uid);
    const finished = finishedCondition(job);
    if (!isActive && finished === undefined) {
      events.push(warning("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${name}`));
    } else if (isActive && finished !== undefined) {
      active = active.filter((reference) => reference.uid !== uid);
      events.push(normal("SawCompletedJob", `Saw completed job: ${name}, condition: ${finished.type}`));
    }
    const { completionTime } = job.status ?? {};
    const isLater = completionTime !== undefined && (lastSuccessfulTime === undefined || completionTime > lastSuccessfulTime);
    if (finished?.type === "Complete" && isLater) lastSuccessfulTime = completionTime;
  }
  for (const { uid, name } of active) if (missing.has(uid ?? "")) events.push(normal("MissingJob", `Active job went missing: ${name}`));
  active = active.filter(({ uid }) => !missing.has(uid ?? ""));
  return { status: { ...status, active, ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }) }, events };
}

type Start = Pick<CronPlan, "dueMs" | "replace" | "events">;

/** Whether a job is due, and may be made. */
function planStart(
  { cronJob, nowMs }: CronSnapshot,
  schedule: Schedule,
  { active = [], lastScheduleTime }: DeepReadonly<CronJobStatus>,
): Start {
  const { concurrencyPolicy, startingDeadlineSeconds } = cronJob.spec;
  const { dueMs, isLate } = mostRecentStart(cronJob, schedule, nowMs);
  const events = isLate
    ? [warning("TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")]
    : [];
  const nothing = { dueMs: undefined, replace: [], events };
  if (dueMs === undefined) return nothing;
  if (startingDeadlineSeconds !== undefined && dueMs + startingDeadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${rfc1123(dueMs)}`;
    return { ...nothing, events: [...events, warning("MissSchedule", message)] };
  }
  const isMade = active.some(({ name }) => name === jobNameAt(cronJob, dueMs)) || lastScheduleTime === formatTime(dueMs);
  if (isMade) return nothing;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { ...nothing, events: [...events, normal("JobAlreadyActive", message)] };
  }
  return { dueMs, replace: concurrencyPolicy === "Replace" ? active : [], events };
}

/** The last start that was due since the one before, but not longer ago than the deadline. */
function mostRecentStart(cronJob: DeepReadonly<CronJob>, schedule: Schedule, nowMs: number) {
  const { metadata, spec, status } = cronJob;
  const sinceMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? formatTime(nowMs));
  const deadlineMs = spec.startingDeadlineSeconds === undefined ? sinceMs : nowMs - spec.startingDeadlineSeconds * 1000;
  const fromMs = Math.max(sinceMs, deadlineMs);
  const dueMs = schedule.last(fromMs, nowMs);
  return { dueMs, isLate: dueMs !== undefined && hasManyBetween(schedule, fromMs, dueMs) };
}

function hasManyBetween(schedule: Schedule, fromMs: number, untilMs: number): boolean {
  let atMs: number | undefined = fromMs;
  for (let missed = 0; missed <= MANY_MISSED; missed++) {
    atMs = schedule.next(atMs);
    if (atMs === undefined || atMs > untilMs) return false;
  }
  return true;
}

/** Go's time.RFC1123Z. */
function rfc1123(ms: number): string {
  return new Date(ms).toUTCString().replace("GMT", "+0000");
}

/** Ended jobs, oldest first, beyond the limits. */
function expiredJobs({ cronJob, jobs }: CronSnapshot): readonly ReadonlyJob[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const beyond = (type: string, limit: number | undefined) => {
    if (limit === undefined) return [];
    const ended = jobs.filter((job) => finishedCondition(job)?.type === type).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...beyond("Complete", successfulJobsHistoryLimit), ...beyond("Failed", failedJobsHistoryLimit)];
}

function byStart(a: ReadonlyJob, b: ReadonlyJob): number {
  const startOf = ({ status }: ReadonlyJob) => Date.parse(status?.startTime ?? "") || Number.POSITIVE_INFINITY;
  return startOf(a) - startOf(b) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
}
