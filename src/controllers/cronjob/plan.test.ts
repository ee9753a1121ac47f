import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CronJob, CronJobSpec, CronJobStatus, Job } from "../../api/types/batch/v1.ts";
import { jobNameAt, planCronJob } from "./plan.ts";

const ms = (time: string) => Date.parse(`2026-03-01T${time}Z`);

function cronJob(spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob {
  const jobTemplate = { spec: { template: {} } };
  return {
    metadata: { name: "report", namespace: "default", uid: "c", creationTimestamp: "2026-03-01T10:00:00Z" },
    spec: { schedule: "*/5 * * * *", concurrencyPolicy: "Allow", jobTemplate, ...spec },
    status,
  };
}

function job(name: string, type?: string, at = "2026-03-01T10:05:00Z"): Job {
  const ended = type === undefined ? {} : { conditions: [{ type, status: "True" }], completionTime: at };
  return { metadata: { name, uid: name }, status: { startTime: at, ...ended } };
}

function plan(of: CronJob, time: string, jobs: readonly Job[] = [], missing: readonly string[] = []) {
  const { dueMs, events, ...rest } = planCronJob({ cronJob: of, jobs, missing: new Set(missing), nowMs: ms(time) });
  return {
    ...rest,
    due: dueMs === undefined ? undefined : new Date(dueMs).toISOString().slice(11, 16),
    reasons: events.map(({ reason }) => reason),
  };
}

const active = (...names: string[]) => ({ active: names.map((name) => ({ name, uid: name })) });

describe("a cron job's plan", () => {
  it("makes a job when its time has come, named after the minute, and wakes for the next", () => {
    assert.deepEqual([plan(cronJob(), "10:04:00").due, plan(cronJob(), "10:04:00").wakeInMs], [undefined, 60_100]);
    assert.deepEqual([plan(cronJob(), "10:05:00").due, plan(cronJob(), "10:05:00").wakeInMs], ["10:05", 300_100]);
    assert.equal(jobNameAt(cronJob(), ms("10:05:00")), `report-${ms("10:05:00") / 60_000}`);
  });

  it("reads a schedule without a zone in the controller's, and one with a zone in that", () => {
    const dueIn = (timeZone: string | undefined, time: string) =>
      planCronJob({
        cronJob: cronJob({ schedule: "0 12 * * *", timeZone }),
        jobs: [],
        missing: new Set(),
        nowMs: ms(time),
        localTimeZone: "Europe/Berlin",
      }).dueMs;
    assert.deepEqual([dueIn(undefined, "11:00:30"), dueIn("UTC", "11:00:30")], [ms("11:00:00"), undefined]);
  });

  it("makes no second job for the same time", () => {
    assert.equal(plan(cronJob({}, { lastScheduleTime: "2026-03-01T10:05:00Z" }), "10:06:00").due, undefined);
    const made = cronJob({}, active(jobNameAt(cronJob(), ms("10:05:00"))));
    assert.equal(plan(made, "10:06:00", [job(jobNameAt(cronJob(), ms("10:05:00")))]).due, undefined);
  });

  it("makes only the last of several missed, and complains when they are many", () => {
    assert.deepEqual([plan(cronJob(), "10:31:00").due, plan(cronJob(), "10:31:00").reasons], ["10:30", []]);
    assert.deepEqual(plan(cronJob(), "20:00:00").reasons, ["TooManyMissedTimes"]);
    assert.deepEqual(plan(cronJob({ startingDeadlineSeconds: 600 }), "20:00:00").reasons, []);
  });

  it("drops a start that is later than the deadline", () => {
    const late = cronJob({ startingDeadlineSeconds: 60 });
    assert.equal(plan(late, "10:05:59").due, "10:05");
    assert.equal(plan(late, "10:07:00").due, undefined);
  });

  it("waits, replaces or runs beside, by its concurrency policy", () => {
    const running = [job("old")];
    const due = (concurrencyPolicy: string) => plan(cronJob({ concurrencyPolicy }, active("old")), "10:05:00", running);
    assert.deepEqual([due("Allow").due, due("Allow").replace], ["10:05", []]);
    assert.deepEqual([due("Forbid").due, due("Forbid").reasons], [undefined, ["JobAlreadyActive"]]);
    assert.deepEqual([due("Replace").due, due("Replace").replace.map(({ name }) => name)], ["10:05", ["old"]]);
  });

  it("makes nothing while it is suspended or its schedule cannot be read", () => {
    assert.equal(plan(cronJob({ suspend: true }), "10:05:00").due, undefined);
    assert.deepEqual(plan(cronJob({ schedule: "nonsense" }), "10:05:00").reasons, ["UnparseableSchedule"]);
  });

  it("takes ended and missing jobs off its list, and remembers the last success", () => {
    const followed = plan(
      cronJob({ suspend: true }, active("done", "gone", "busy")),
      "10:06:00",
      [job("done", "Complete"), job("busy")],
      ["gone"],
    );
    assert.deepEqual(
      followed.status.active?.map(({ name }) => name),
      ["busy"],
    );
    assert.equal(followed.status.lastSuccessfulTime, "2026-03-01T10:05:00Z");
    assert.deepEqual(followed.reasons, ["SawCompletedJob", "MissingJob"]);
    assert.deepEqual(plan(cronJob({ suspend: true }), "10:06:00", [job("stranger")]).reasons, ["UnexpectedJob"]);
  });

  it("clears away the oldest ended jobs beyond its limits", () => {
    const at = (minute: number) => `2026-03-01T10:0${minute}:00Z`;
    const jobs = [
      job("c2", "Complete", at(2)),
      job("c1", "Complete", at(1)),
      job("f1", "Failed", at(1)),
      job("f2", "Failed", at(2)),
      job("busy"),
    ];
    const limited = cronJob({ suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
    assert.deepEqual(
      plan(limited, "10:05:00", jobs).expired.map(({ metadata }) => metadata.name),
      ["c1", "f1", "f2"],
    );
  });
});
