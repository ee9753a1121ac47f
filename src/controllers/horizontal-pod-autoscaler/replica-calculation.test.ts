import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { averageReplicas, type PodUsage, sharedReplicas, utilizationReplicas, valueReplicas } from "./replica-calculation.ts";

const NOW_MS = Date.parse("2026-01-01T01:00:00Z");
const tolerances = { scaleUp: 0.1, scaleDown: 0.1 };

interface PodState {
  readonly phase?: string;
  readonly isReady?: boolean;
  readonly startedMsAgo?: number;
  readonly readyMsAgo?: number;
  readonly isLeaving?: boolean;
}

function pod(
  name: string,
  { phase = "Running", isReady = true, startedMsAgo = 3_600_000, readyMsAgo = 3_500_000, isLeaving }: PodState = {},
): Pod {
  return {
    metadata: { name, ...(isLeaving === true ? { deletionTimestamp: formatTime(NOW_MS) } : {}) },
    spec: { containers: [{ name: "main", image: "i", resources: { requests: { cpu: "1" } } }] },
    status: {
      phase,
      startTime: formatTime(NOW_MS - startedMsAgo),
      conditions: [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: formatTime(NOW_MS - readyMsAgo) }],
    },
  };
}

/** Metrics in millicores, by the pod's name. */
function usage(pods: readonly Pod[], used: Readonly<Record<string, number>>, parts: Partial<PodUsage> = {}): PodUsage {
  const metrics = new Map(Object.entries(used).map(([name, milli]) => [name, { milli, timestampMs: NOW_MS, windowMs: 30_000 }]));
  return { pods, metrics, resource: "cpu", currentReplicas: pods.length, tolerances, nowMs: NOW_MS, ...parts };
}

const three = [pod("a"), pod("b"), pod("c")];

describe("the size that the pods' use calls for", () => {
  it("is in proportion to the target, rounded up", () => {
    const { replicas, utilization, usageMilli } = utilizationReplicas(usage(three, { a: 800, b: 900, c: 1000 }), 50);
    assert.deepEqual([replicas, utilization, usageMilli], [6, 90, 900]);
    assert.equal(averageReplicas(usage(three, { a: 100, b: 100, c: 100 }), 300).replicas, 1);
  });

  it("stays within the tolerance, which may differ by direction", () => {
    assert.equal(averageReplicas(usage(three, { a: 1090, b: 1090, c: 1090 }), 1000).replicas, 3);
    assert.equal(averageReplicas(usage(three, { a: 1110, b: 1110, c: 1110 }), 1000).replicas, 4);
    const strict = { tolerances: { scaleUp: 0, scaleDown: 0.5 } };
    assert.equal(averageReplicas(usage(three, { a: 1010, b: 1010, c: 1010 }, strict), 1000).replicas, 4);
    assert.equal(averageReplicas(usage(three, { a: 600, b: 600, c: 600 }, strict), 1000).replicas, 3);
  });

  it("takes pods without metrics to use nothing when growing, and all of their request when shrinking", () => {
    assert.equal(averageReplicas(usage(three, { a: 3000, b: 3000 }), 1000).replicas, 6);
    assert.equal(utilizationReplicas(usage(three, { a: 100, b: 100 }), 50).replicas, 3, "the missing one may use its whole request");
    assert.equal(averageReplicas(usage(three, { a: 100, b: 100 }), 1000).replicas, 2);
  });

  it("takes pods that are not ready yet to use nothing when growing", () => {
    const pods = [pod("a"), pod("b"), pod("c", { phase: "Pending" })];
    assert.equal(averageReplicas(usage(pods, { a: 3000, b: 3000 }), 1000).replicas, 6);
    assert.equal(averageReplicas(usage(pods, { a: 1200, b: 1200 }), 1000).replicas, 3, "which is no reason to shrink");
  });

  it("does not believe the CPU of a pod that starts, or never was ready", () => {
    const starting = pod("c", { startedMsAgo: 60_000, readyMsAgo: 10_000 });
    assert.equal(averageReplicas(usage([pod("a"), starting], { a: 1000, c: 9000 }), 1000).replicas, 2);
    const neverReady = pod("c", { isReady: false, startedMsAgo: 3_600_000, readyMsAgo: 3_590_000 });
    assert.equal(averageReplicas(usage([pod("a"), neverReady], { a: 1000, c: 9000 }), 1000).replicas, 2);
    assert.equal(averageReplicas(usage([pod("a"), starting], { a: 1000, c: 9000 }, { resource: "memory" }), 1000).replicas, 10);
  });

  it("leaves out pods that have failed or leave", () => {
    const pods = [pod("a"), pod("b", { phase: "Failed" }), pod("c", { isLeaving: true })];
    assert.equal(averageReplicas(usage(pods, { a: 2000, b: 9000, c: 9000 }), 1000).replicas, 2);
  });

  it("cannot be told without pods, metrics or requests", () => {
    assert.throws(() => averageReplicas(usage([], {}), 1), /no pods returned by selector/);
    assert.throws(() => averageReplicas(usage(three, {}), 1), /did not receive metrics for targeted pods/);
    const noRequest = { ...pod("a"), spec: { containers: [{ name: "main", image: "i" }] } };
    assert.throws(() => utilizationReplicas(usage([noRequest], { a: 1 }), 50), /missing request for cpu in container main of Pod a/);
    assert.throws(() => utilizationReplicas(usage(three, { a: 1 }), 50, "other"), /container other not found in Pod a/);
  });
});

describe("the size that one value calls for", () => {
  it("follows the ratio to the target, or shares the value out", () => {
    assert.equal(valueReplicas({ pods: three, currentReplicas: 3, tolerances }, 20_000, 10_000).replicas, 6);
    assert.equal(valueReplicas({ pods: three, currentReplicas: 3, tolerances }, 10_500, 10_000).replicas, 3);
    assert.equal(valueReplicas({ pods: [], currentReplicas: 0, tolerances }, 1000, 10_000).replicas, 1, "from none to one");
    assert.deepEqual(sharedReplicas({ statusReplicas: 2, tolerances }, 10_000, 2000), { replicas: 5, usageMilli: 5000 });
  });
});
