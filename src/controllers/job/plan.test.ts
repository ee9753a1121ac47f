import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IndexSet } from "../../api/index.ts";
import type { Job, JobSpec, JobStatus } from "../../api/types/batch/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { matchFailurePolicy } from "./failure-policy.ts";
import { NO_FAILURES, recordFailures, remainingBackoffMs } from "./job-backoff.ts";
import { jobPod, TRACKING_FINALIZER } from "./job-pod.ts";
import { type JobSnapshot, viewJob } from "./job-view.ts";
import { planJob } from "./plan.ts";
import { matchSuccessPolicy } from "./success-policy.ts";
import { countReleased, trackPods } from "./tracking.ts";

const NOW_MS = Date.parse("2026-01-01T01:00:00Z");
const OWNER = { apiVersion: "batch/v1", kind: "Job", name: "work", uid: "job" };

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } };
  const defaults = {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    podReplacementPolicy: "TerminatingOrFailed",
  };
  return { metadata: { name: "work", namespace: "default", uid: "job" }, spec: { ...defaults, template, ...spec }, status };
}

interface PodState {
  readonly phase?: string;
  readonly index?: number;
  readonly exitCode?: number;
  readonly isLeaving?: boolean;
  readonly isTracked?: boolean;
  readonly finishedMsAgo?: number;
  readonly failures?: number;
}

function pod(
  name: string,
  { phase = "Running", index, exitCode, isLeaving, isTracked = true, finishedMsAgo = 0, failures }: PodState = {},
): Pod {
  const terminated = { exitCode: exitCode ?? 0, finishedAt: formatTime(NOW_MS - finishedMsAgo) };
  return {
    metadata: {
      name,
      namespace: "default",
      uid: name,
      annotations: {
        ...(index === undefined ? {} : { "batch.kubernetes.io/job-completion-index": String(index) }),
        ...(failures === undefined ? {} : { "batch.kubernetes.io/job-index-failure-count": String(failures) }),
      },
      ...(isTracked ? { finalizers: [TRACKING_FINALIZER] } : {}),
      ...(isLeaving === true ? { deletionTimestamp: formatTime(NOW_MS) } : {}),
    },
    status: {
      phase,
      ...(phase === "Running"
        ? {}
        : { containerStatuses: [{ name: "main", image: "i", imageID: "", ready: false, restartCount: 0, state: { terminated } }] }),
    },
  };
}

function snapshot(of: Job, pods: readonly Pod[], parts: Partial<JobSnapshot> = {}): JobSnapshot {
  return { job: of, pods, released: new Set(), isCurrent: true, failures: NO_FAILURES, nowMs: NOW_MS, ...parts };
}

function plan(input: JobSnapshot) {
  const { create, delete: deleted, verdict, wakeInMs } = planJob(input, viewJob(input), OWNER);
  return { create: create.length, delete: deleted.map(({ metadata }) => metadata.name), reason: verdict?.reason, wakeInMs };
}

const indexed = { completionMode: "Indexed", completions: 4, parallelism: 4 };

describe("a job's plan", () => {
  it("keeps as many pods as parallelism allows and completions need", () => {
    assert.equal(plan(snapshot(job({ completions: 5, parallelism: 2 }), [])).create, 2);
    assert.equal(plan(snapshot(job({ completions: 5, parallelism: 2 }, { succeeded: 4 }), [])).create, 1);
    assert.deepEqual(plan(snapshot(job({ parallelism: 0 }), [pod("a")])).delete, ["a"]);
    assert.equal(plan(snapshot(job(), [], { isCurrent: false })).create, 0);
  });

  it("waits after failures, longer with each, and starts afresh after a success", () => {
    const failed = (name: string, finishedMsAgo: number) => pod(name, { phase: "Failed", exitCode: 1, finishedMsAgo });
    assert.deepEqual(plan(snapshot(job(), [failed("a", 4000)])), { create: 0, delete: [], reason: undefined, wakeInMs: 6000 });
    assert.equal(plan(snapshot(job(), [failed("a", 10_000)])).create, 1);
    assert.equal(remainingBackoffMs({ failuresAfterLastSuccess: 3, lastFailureMs: NOW_MS }, NOW_MS), 40_000);
    assert.equal(remainingBackoffMs({ failuresAfterLastSuccess: 30, lastFailureMs: NOW_MS }, NOW_MS), 600_000);
    const succeeded = [pod("b", { phase: "Succeeded", finishedMsAgo: 1000 })];
    assert.deepEqual(
      recordFailures({ failuresAfterLastSuccess: 5, lastFailureMs: 0 }, { succeeded, failed: [failed("a", 2000)] }),
      NO_FAILURES,
    );
    assert.equal(recordFailures(NO_FAILURES, { succeeded, failed: [failed("a", 0)] }).failuresAfterLastSuccess, 1);
  });

  it("ends the job by failures, restarts, or time", () => {
    const failed = [pod("a", { phase: "Failed", exitCode: 1 })];
    assert.equal(plan(snapshot(job({ backoffLimit: 0 }), failed)).reason, "BackoffLimitExceeded");
    assert.equal(plan(snapshot(job({ backoffLimit: 1 }, { failed: 1 }), failed)).reason, "BackoffLimitExceeded");
    const started = { startTime: formatTime(NOW_MS - 10_000) };
    const late = plan(snapshot(job({ activeDeadlineSeconds: 10 }, started), [pod("a")]));
    assert.deepEqual([late.reason, late.delete], ["DeadlineExceeded", ["a"]]);
    assert.equal(plan(snapshot(job({ activeDeadlineSeconds: 15 }, started), [pod("a")])).wakeInMs, 5000);
    assert.equal(plan(snapshot(job({ activeDeadlineSeconds: 10, suspend: true }, started), [pod("a")])).reason, undefined);
  });

  it("sticks to the verdict that stands in the status", () => {
    const conditions = [{ type: "FailureTarget", status: "True", reason: "PodFailurePolicy", message: "m" }];
    assert.equal(plan(snapshot(job({ backoffLimit: 0 }, { conditions, failed: 3 }), [pod("a")])).reason, "PodFailurePolicy");
  });

  it("gives each index one pod: missing ones are made, doubles and strangers deleted", () => {
    const pods = [pod("a", { index: 1 }), pod("b", { index: 1 }), pod("c", { index: 9 }), pod("d")];
    const deleted = plan(snapshot(job(indexed), pods)).delete;
    assert.deepEqual([deleted.length, deleted.includes("c"), deleted.includes("d")], [3, true, true]);
    const input = snapshot(job(indexed, { completedIndexes: "0" }), [pod("a", { index: 2 })]);
    const made = planJob(input, viewJob(input), OWNER).create;
    assert.deepEqual(
      made.map(({ spec }) => spec?.hostname),
      ["work-1", "work-3"],
    );
  });

  it("waits for an index of its own with backoffLimitPerIndex", () => {
    const perIndex = job({ ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 3, backoffLimit: 2 ** 31 - 1 });
    const failed = pod("a", { index: 0, phase: "Failed", exitCode: 1, failures: 1, finishedMsAgo: 5000 });
    const result = plan(snapshot(perIndex, [failed]));
    assert.deepEqual([result.create, result.wakeInMs], [1, 15_000]);
    const made = jobPod(perIndex, { owner: OWNER, index: 0, replaced: failed });
    assert.equal(made.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"], "2");
  });

  it("replaces a pod that leaves at once, or by podReplacementPolicy Failed when it has ended", () => {
    const leaving = [pod("a", { isLeaving: true })];
    const failures = { failuresAfterLastSuccess: 0, lastFailureMs: 0 };
    assert.equal(viewJob(snapshot(job(), leaving)).failed, 1);
    const later = snapshot(job(), leaving, { nowMs: NOW_MS + 20_000, failures });
    assert.equal(plan(later).create, 1);
    assert.equal(plan(snapshot(job({ podReplacementPolicy: "Failed" }), leaving, { nowMs: NOW_MS + 20_000 })).create, 0);
  });
});

describe("a job's policies", () => {
  it("match failed pods by exit code, container and condition, the first rule first", () => {
    const rule = (action: string, operator: string, values: number[], containerName?: string) => ({
      action,
      onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) },
    });
    const failed = pod("a", { phase: "Failed", exitCode: 3 });
    const actionOf = (...rules: ReturnType<typeof rule>[]) => matchFailurePolicy({ rules }, failed)?.action;
    assert.equal(actionOf(rule("Ignore", "In", [3]), rule("FailJob", "In", [3])), "Ignore");
    assert.equal(actionOf(rule("FailJob", "NotIn", [4])), "FailJob");
    assert.equal(actionOf(rule("FailJob", "NotIn", [3])), undefined);
    assert.equal(actionOf(rule("FailJob", "In", [3], "other")), undefined);
    const disrupted = { ...failed, status: { conditions: [{ type: "DisruptionTarget", status: "True" }] } };
    const rules = [{ action: "FailJob", onPodConditions: [{ type: "DisruptionTarget" }] }];
    assert.equal(
      matchFailurePolicy({ rules }, disrupted)?.message,
      "Pod default/a has condition DisruptionTarget matching FailJob rule at index 0",
    );
  });

  it("call success by indexes, by count, or by a count of some indexes", () => {
    const match = (rule: object) => matchSuccessPolicy({ rules: [rule] }, IndexSet.of([0, 2, 3]), 6);
    assert.equal(match({ succeededIndexes: "0,2" }), "Matched rules at index 0");
    assert.equal(match({ succeededIndexes: "0-2" }), undefined);
    assert.equal(match({ succeededIndexes: "0-2", succeededCount: 2 }), "Matched rules at index 0");
    assert.equal(match({ succeededCount: 4 }), undefined);
    assert.equal(match({ succeededCount: 3 }), "Matched rules at index 0");
  });
});

describe("the tracking of a job's pods", () => {
  function track(of: Job, pods: readonly Pod[], parts: Partial<JobSnapshot> = {}) {
    const input = snapshot(of, pods, parts);
    const { status, release } = trackPods({ snapshot: input, view: viewJob(input), verdict: undefined, status: of.status ?? {} });
    return { status, release: release.map(({ metadata }) => metadata.name) };
  }

  it("notes ended pods before their finalizer goes, and counts them after", () => {
    const ended = [pod("a", { phase: "Succeeded" }), pod("b", { phase: "Failed", exitCode: 1 }), pod("c")];
    const first = track(job({ completions: 3, parallelism: 3 }), ended);
    assert.deepEqual([first.status.uncountedTerminatedPods, first.status.succeeded], [{ succeeded: ["a"], failed: ["b"] }, undefined]);
    assert.deepEqual(first.release, ["a", "b"]);
    const counted = countReleased(first.status, new Set(["b", "c"]));
    assert.deepEqual([counted.succeeded, counted.failed, counted.uncountedTerminatedPods], [1, 0, { failed: ["b"] }]);
  });

  it("never counts a pod twice: neither one that is noted, nor one that has been let go", () => {
    const noted = job({}, { uncountedTerminatedPods: { succeeded: ["a"] } });
    const ended = [pod("a", { phase: "Succeeded" })];
    assert.deepEqual(track(noted, ended).status.uncountedTerminatedPods, { succeeded: ["a"] });
    assert.equal(viewJob(snapshot(noted, ended)).succeeded, 1);
    const after = track(noted, ended, { released: new Set(["a"]) });
    assert.deepEqual([after.status.succeeded, after.release], [1, []]);
  });

  it("counts indexes by themselves, and keeps a failed pod until its index has another", () => {
    const ended = [pod("a", { index: 2, phase: "Succeeded" }), pod("b", { index: 0, phase: "Failed", exitCode: 1, failures: 0 })];
    const { status, release } = track(job({ ...indexed, backoffLimitPerIndex: 2 }), ended);
    assert.deepEqual([status.completedIndexes, status.succeeded, status.failedIndexes, release], ["2", 1, "", ["a"]]);
    const replaced = [...ended, pod("c", { index: 0, failures: 1 })];
    assert.deepEqual(track(job({ ...indexed, backoffLimitPerIndex: 2 }), replaced).release, ["b", "a"]);
  });

  it("does not count failures that the policy ignores", () => {
    const podFailurePolicy = { rules: [{ action: "Ignore", onExitCodes: { operator: "In", values: [1] } }] };
    const { status, release } = track(job({ podFailurePolicy }), [pod("a", { phase: "Failed", exitCode: 1 })]);
    assert.deepEqual([status.uncountedTerminatedPods, release], [{}, ["a"]]);
  });
});
