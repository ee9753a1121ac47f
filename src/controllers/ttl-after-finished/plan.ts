// When a Job that is over goes.
import type { Job } from "../../api/types/batch/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { finishedCondition } from "../cronjob/plan.ts";

/** Milliseconds since 1970 when the job's ttlSecondsAfterFinished are over; undefined when it stays, or runs still. */
export function expiresAtMs(job: DeepReadonly<Job>): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const finishedAt = finishedCondition(job)?.lastTransitionTime;
  if (seconds === undefined || finishedAt === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  return Date.parse(finishedAt) + seconds * 1000;
}
