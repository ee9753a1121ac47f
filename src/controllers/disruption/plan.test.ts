import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from "../../api/types/policy/v1.ts";
import { failedStatus, planBudget, staleDisruptionInMs } from "./plan.ts";

const NOW = "2026-01-01T01:00:00Z";
const NOW_MS = Date.parse(NOW);

function budget(spec: PodDisruptionBudgetSpec, status?: PodDisruptionBudgetStatus): PodDisruptionBudget {
  return { metadata: { name: "b", namespace: "default", generation: 2 }, spec, status };
}

function pod(name: string, isReady = true, metadata: object = {}): Pod {
  return { metadata: { name, ...metadata }, status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] } };
}

function counts(of: PodDisruptionBudget, pods: readonly Pod[], expectedScale = pods.length) {
  const { status } = planBudget({ budget: of, pods, expectedScale, nowMs: NOW_MS });
  return [status.expectedPods, status.desiredHealthy, status.currentHealthy, status.disruptionsAllowed];
}

const three = [pod("a"), pod("b"), pod("c")];

describe("a disruption budget's status", () => {
  it("allows what minAvailable leaves", () => {
    assert.deepEqual(counts(budget({ minAvailable: 2 }), three), [3, 2, 3, 1]);
    assert.deepEqual(counts(budget({ minAvailable: 2 }), [pod("a"), pod("b", false), pod("c")]), [3, 2, 2, 0]);
    assert.deepEqual(counts(budget({ minAvailable: 0 }), []), [0, 0, 0, 0], "nothing is allowed while there are no pods");
  });

  it("takes shares of what the controllers ask for, rounded up", () => {
    assert.deepEqual(counts(budget({ minAvailable: "50%" }), three, 5), [5, 3, 3, 0]);
    assert.deepEqual(counts(budget({ maxUnavailable: "30%" }), three, 3), [3, 2, 3, 1]);
    assert.deepEqual(counts(budget({ maxUnavailable: 1 }), three, 4), [4, 3, 3, 0]);
  });

  it("does not count pods that leave, or that were evicted a moment ago", () => {
    assert.deepEqual(counts(budget({ minAvailable: 1 }), [pod("a"), pod("b", true, { deletionTimestamp: NOW })]), [2, 1, 1, 0]);
    const status = { disruptedPods: { a: "2026-01-01T00:59:00Z", b: "2026-01-01T00:57:00Z", gone: NOW } };
    const plan = planBudget({ budget: budget({ minAvailable: 1 }, status), pods: three, expectedScale: 0, nowMs: NOW_MS });
    assert.deepEqual([plan.status.disruptedPods, plan.status.currentHealthy], [{ a: "2026-01-01T00:59:00Z" }, 2]);
    assert.deepEqual([plan.notDeleted.map(({ metadata }) => metadata.name), plan.wakeInMs], [["b"], 60_000]);
  });

  it("says so in a condition whose time is that of the last change", () => {
    const first = planBudget({ budget: budget({ minAvailable: 2 }), pods: three, expectedScale: 0, nowMs: NOW_MS }).status;
    const condition = {
      type: "DisruptionAllowed",
      status: "True",
      reason: "SufficientPods",
      message: "",
      observedGeneration: 2,
      lastTransitionTime: NOW,
    };
    assert.deepEqual(first.conditions, [condition]);
    const later = planBudget({ budget: budget({ minAvailable: 1 }, first), pods: three, expectedScale: 0, nowMs: NOW_MS + 60_000 }).status;
    assert.equal(later.conditions?.[0]?.lastTransitionTime, NOW);
    const failed = failedStatus(budget({ minAvailable: 1 }, first), "why", NOW_MS + 60_000);
    assert.deepEqual(
      [failed.disruptionsAllowed, failed.conditions?.[0]?.reason, failed.conditions?.[0]?.status],
      [0, "SyncFailed", "False"],
    );
  });
});

describe("a pod's disruption mark", () => {
  const marked = (reason: string, metadata: object = {}): Pod => ({
    metadata: { name: "a", ...metadata },
    status: { conditions: [{ type: "DisruptionTarget", status: "True", reason, lastTransitionTime: "2026-01-01T00:59:00Z" }] },
  });

  it("is stale after two minutes, unless the pod leaves or its kubelet ends it", () => {
    assert.equal(staleDisruptionInMs(marked("EvictionByEvictionAPI"), NOW_MS), 60_000);
    assert.equal(staleDisruptionInMs(marked("EvictionByEvictionAPI"), NOW_MS + 90_000), 0);
    assert.equal(staleDisruptionInMs(marked("TerminationByKubelet"), NOW_MS), undefined);
    assert.equal(staleDisruptionInMs(marked("EvictionByEvictionAPI", { deletionTimestamp: NOW }), NOW_MS), undefined);
    assert.equal(staleDisruptionInMs(pod("a"), NOW_MS), undefined);
  });
});
