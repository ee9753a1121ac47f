import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { BURST_REPLICAS, countPods, nextAvailableMs, planReplicas, replicaSetStatus } from "./plan.ts";

const NOW_MS = Date.parse("2026-01-01T01:00:00Z");

function set(replicas: number, status?: ReplicaSet["status"]): ReplicaSet {
  const template = { metadata: { labels: { app: "web" } }, spec: { containers: [] } };
  return { metadata: { name: "web", generation: 3 }, spec: { replicas, selector: {}, template }, status };
}

interface PodState {
  readonly nodeName?: string;
  readonly phase?: string;
  readonly isReady?: boolean;
  readonly readyMsAgo?: number;
  readonly ageMs?: number;
  readonly cost?: number;
  readonly restarts?: number;
}

function pod(
  name: string,
  { nodeName = name, phase = "Running", isReady = true, readyMsAgo = 60_000, ageMs = 60_000, cost, restarts = 0 }: PodState = {},
): Pod {
  const annotations = cost === undefined ? {} : { "controller.kubernetes.io/pod-deletion-cost": String(cost) };
  const ready = { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: formatTime(NOW_MS - readyMsAgo) };
  const container = { name: "c", image: "i", imageID: "", ready: isReady, restartCount: restarts };
  return {
    metadata: { name, labels: { app: "web" }, annotations, creationTimestamp: formatTime(NOW_MS - ageMs) },
    spec: { nodeName, containers: [] },
    status: { phase, conditions: [ready], containerStatuses: [container] },
  };
}

const active = (pods: readonly Pod[]) => ({ count: pods.length, list: () => pods });

/** Which of the two goes when there is one too many. */
const goes = (a: Pod, b: Pod) => planReplicas(set(1), active([a, b]), NOW_MS).delete.map(({ metadata }) => metadata.name);

describe("a replica set's plan", () => {
  it("makes what is missing, at most a burst at once", () => {
    assert.deepEqual(planReplicas(set(3), active([pod("a")]), NOW_MS), { create: 2, delete: [] });
    assert.equal(planReplicas(set(2000), active([]), NOW_MS).create, BURST_REPLICAS);
  });

  it("deletes first the pods that are missed least", () => {
    const cases: [why: string, goes: Pod, stays: Pod][] = [
      ["without a node", pod("x", { nodeName: "" }), pod("a")],
      ["pending", pod("x", { phase: "Pending" }), pod("a")],
      ["not ready", pod("x", { isReady: false }), pod("a")],
      ["of lower deletion cost", pod("x", { cost: -1 }), pod("a")],
      ["ready for a shorter time", pod("x", { readyMsAgo: 1000 }), pod("a", { readyMsAgo: 3_600_000 })],
      ["restarted more often", pod("x", { restarts: 3 }), pod("a")],
      ["younger", pod("x", { ageMs: 61_000 }), pod("a", { ageMs: 36_000_000 })],
    ];
    for (const [why, leaving, staying] of cases) {
      assert.deepEqual(goes(leaving, staying), ["x"], why);
      assert.deepEqual(goes(staying, leaving), ["x"], why);
    }
  });

  it("deletes where a node has several", () => {
    const pods = [pod("a", { nodeName: "n1" }), pod("b", { nodeName: "n2" }), pod("c", { nodeName: "n2" })];
    assert.ok(["b", "c"].includes(planReplicas(set(2), active(pods), NOW_MS).delete[0]?.metadata.name ?? ""));
  });
});

describe("a replica set's status", () => {
  const failure = { reason: "FailedCreate", message: "no more" } as const;
  const counts = (pods: readonly Pod[]) => countPods(set(2), pods, NOW_MS);

  it("counts pods, leaves zeros out, and keeps the first failure until it is over", () => {
    const first = replicaSetStatus({ set: set(2), counts: { ...counts([]), terminating: 1 }, nowMs: NOW_MS, failure });
    assert.deepEqual(first, {
      replicas: 0,
      terminatingReplicas: 1,
      observedGeneration: 3,
      conditions: [{ type: "ReplicaFailure", status: "True", lastTransitionTime: formatTime(NOW_MS), ...failure }],
    });
    const again = replicaSetStatus({ set: set(2, first), counts: counts([]), nowMs: NOW_MS + 60_000, failure });
    assert.deepEqual(again.conditions, first.conditions);
    const over = replicaSetStatus({ set: set(2, first), counts: counts([pod("a")]), nowMs: NOW_MS, failure: undefined });
    assert.deepEqual([over.conditions, over.fullyLabeledReplicas, over.readyReplicas, over.availableReplicas], [undefined, 1, 1, 1]);
  });

  it("changes without an event when a pod has been ready for long enough", () => {
    assert.equal(nextAvailableMs([pod("a", { readyMsAgo: 4000 }), pod("b", { isReady: false })], 10, NOW_MS), 6000);
    assert.equal(nextAvailableMs([pod("a", { readyMsAgo: 14_000 })], 10, NOW_MS), undefined);
    assert.equal(nextAvailableMs([pod("a")], 0, NOW_MS), undefined);
  });
});
