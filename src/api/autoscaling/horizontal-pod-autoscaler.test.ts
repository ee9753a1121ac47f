import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec } from "../types/autoscaling/v2.ts";
import { horizontalPodAutoscalerStrategy as strategy } from "./horizontal-pod-autoscaler.ts";

function problems(spec: Partial<HorizontalPodAutoscalerSpec> = {}): string[] {
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  const autoscaler: HorizontalPodAutoscaler = { metadata: { name: "web" }, spec: { maxReplicas: 5, scaleTargetRef, ...spec } };
  strategy.applyDefaults?.(autoscaler);
  return (strategy.validate?.(autoscaler) ?? []).map((error) => fieldErrorMessage(error));
}

const metric = (spec: object) => problems({ metrics: [spec as MetricSpec] });
const at = "spec.metrics[0]";

describe("a horizontal pod autoscaler", () => {
  it("is valid as it comes, and with every kind of metric", () => {
    const identifier = { name: "requests" };
    const target = { type: "AverageValue", averageValue: "10" };
    const utilization = { type: "Utilization", averageUtilization: 50 };
    const metrics = [
      { type: "Resource", resource: { name: "cpu", target: utilization } },
      { type: "ContainerResource", containerResource: { name: "cpu", container: "main", target: utilization } },
      { type: "Pods", pods: { metric: identifier, target } },
      { type: "Object", object: { describedObject: { kind: "Service", name: "web" }, metric: identifier, target } },
      { type: "External", external: { metric: identifier, target } },
    ];
    assert.deepEqual([problems(), problems({ metrics })], [[], []]);
  });

  it("has one source a metric, the one of its type", () => {
    assert.deepEqual(metric({ type: "Pods" }), [`${at}.pods: Required value: must populate information for the given metric source`]);
    const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } };
    assert.deepEqual(metric({ type: "Resource", resource, containerResource: {} }), [
      `${at}.containerResource: Forbidden: must populate the given metric source only`,
    ]);
    assert.deepEqual(metric({ type: "Odd", resource })[0]?.split(":")[1], " Unsupported value");
  });

  it("has targets that fit", () => {
    const resource = (target: object) => metric({ type: "Resource", resource: { name: "cpu", target } });
    assert.deepEqual(resource({ type: "Value" }), [
      `${at}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ]);
    assert.deepEqual(resource({ type: "Utilization", averageUtilization: 0 }), [
      `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
    ]);
    assert.deepEqual(resource({ type: "AverageValue", averageValue: "-1" }), [
      `${at}.resource.target.averageValue: Invalid value: "-1": must be positive`,
    ]);
    assert.deepEqual(metric({ type: "Pods", pods: { metric: { name: "" }, target: { type: "AverageValue", averageValue: "1" } } }), [
      `${at}.pods.metric.name: Required value: must specify a metric name`,
    ]);
  });

  it("has limits, a target and policies", () => {
    assert.deepEqual(problems({ minReplicas: 6 }), ["spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"]);
    assert.deepEqual(problems({ scaleTargetRef: { kind: "a/b", name: "" } }), [
      `spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/'`,
      "spec.scaleTargetRef.name: Required value",
    ]);
    assert.deepEqual(problems({ behavior: { scaleDown: { policies: [] } } }), [
      "spec.behavior.scaleDown.policies: Required value: must specify at least one Policy",
    ]);
  });
});
