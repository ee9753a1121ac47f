import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HorizontalPodAutoscalerBehavior } from "../../api/types/autoscaling/v2.ts";
import { normalize } from "./normalization.ts";
import { NO_HISTORY, type ScalingHistory, withChange, withRecommendation } from "./scaling-history.ts";

const NOW_MS = 10_000_000;

interface Case {
  readonly behavior?: HorizontalPodAutoscalerBehavior;
  readonly history?: ScalingHistory;
  readonly min?: number;
  readonly max?: number;
}

function size(current: number, wanted: number, { behavior, history = NO_HISTORY, min = 1, max = 100 }: Case = {}) {
  const spec = {
    minReplicas: min,
    maxReplicas: max,
    scaleTargetRef: { kind: "Deployment", name: "d" },
    ...(behavior === undefined ? {} : { behavior }),
  };
  const { replicas, stabilized, limited } = normalize({ autoscaler: { metadata: {}, spec }, current, wanted, history, nowMs: NOW_MS });
  return [replicas, stabilized.reason, limited.reason];
}

const recommended = (replicas: number, secondsAgo: number) => withRecommendation(NO_HISTORY, replicas, NOW_MS - secondsAgo * 1000);

describe("the size that is set", () => {
  it("at most doubles, or grows to four, and keeps to the limits", () => {
    assert.deepEqual(size(5, 7), [7, "ReadyForNewScale", "DesiredWithinRange"]);
    assert.deepEqual(size(5, 20), [10, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(size(1, 20), [4, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(size(5, 20, { max: 8 }), [8, "ReadyForNewScale", "TooManyReplicas"]);
    assert.deepEqual(size(5, 1, { min: 2 }), [2, "ReadyForNewScale", "TooFewReplicas"]);
  });

  it("shrinks only to the largest recommendation of the last five minutes", () => {
    assert.deepEqual(size(8, 2, { history: recommended(6, 200) }), [6, "ScaleDownStabilized", "DesiredWithinRange"]);
    assert.deepEqual(size(8, 2, { history: recommended(6, 301) }), [2, "ReadyForNewScale", "DesiredWithinRange"]);
  });

  it("grows only to the smallest recommendation of the window for growing", () => {
    const behavior = { scaleUp: { stabilizationWindowSeconds: 60, policies: [{ type: "Pods", value: 50, periodSeconds: 15 }] } };
    assert.deepEqual(size(2, 9, { behavior, history: recommended(4, 30) }), [4, "ScaleUpStabilized", "DesiredWithinRange"]);
    assert.deepEqual(size(2, 9, { behavior, history: recommended(4, 61) }), [9, "ReadyForNewScale", "DesiredWithinRange"]);
  });

  it("keeps to the rates of the policies, which count what was done in their periods", () => {
    const policies = [
      { type: "Pods", value: 4, periodSeconds: 60 },
      { type: "Percent", value: 10, periodSeconds: 60 },
    ];
    const up = (selectPolicy: string) => ({ scaleUp: { selectPolicy, policies } });
    assert.deepEqual(size(20, 90, { behavior: up("Max") }), [24, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(size(20, 90, { behavior: up("Min") }), [22, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(size(20, 90, { behavior: up("Disabled") }), [20, "ReadyForNewScale", "ScaleUpLimit"]);
    const grown = withChange(NO_HISTORY, 3, NOW_MS - 30_000);
    assert.deepEqual(size(23, 90, { behavior: up("Max"), history: grown }), [24, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(size(23, 90, { behavior: up("Max"), history: withChange(NO_HISTORY, 3, NOW_MS - 61_000) })[0], 27);
    const down = { scaleDown: { stabilizationWindowSeconds: 0, policies } };
    assert.deepEqual(size(20, 1, { behavior: down }), [16, "ReadyForNewScale", "ScaleDownLimit"]);
  });
});
