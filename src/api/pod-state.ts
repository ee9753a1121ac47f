// What a pod's specification and status say about it: readiness, availability, quality of service.
import { type DeepReadonly, quantityMilli } from "../machinery/index.ts";
import type { Container, Pod, ResourceRequirements } from "./types/core/v1.ts";

/** The condition of that type, if there is one. */
export function getCondition<T extends { readonly type?: string | undefined }>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

function isConditionTrue(pod: DeepReadonly<Pod>, type: string): boolean {
  return getCondition(pod.status?.conditions, type)?.status === "True";
}

/** Whether the pod's Ready condition is true. */
export function podReady(pod: DeepReadonly<Pod>): boolean {
  return isConditionTrue(pod, "Ready");
}

/** Since when the pod is ready, in milliseconds since 1970; undefined when it is not. */
export function podReadySinceMs(pod: DeepReadonly<Pod>): number | undefined {
  const ready = getCondition(pod.status?.conditions, "Ready");
  return ready?.status === "True" && ready.lastTransitionTime !== undefined ? Date.parse(ready.lastTransitionTime) : undefined;
}

/** Whether all init containers are through. */
export function podInitialized(pod: DeepReadonly<Pod>): boolean {
  return isConditionTrue(pod, "Initialized");
}

/** Whether the pod ended for good: Succeeded or Failed. */
export function isPodTerminal(pod: DeepReadonly<Pod>): boolean {
  return pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
}

/** Whether the pod has been ready for `minReadySeconds`. */
export function isPodAvailable(pod: DeepReadonly<Pod>, minReadySeconds: number, nowMs: number): boolean {
  const ready = getCondition(pod.status?.conditions, "Ready");
  if (ready?.status !== "True") return false;
  if (minReadySeconds === 0) return true;
  return ready.lastTransitionTime !== undefined && Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 <= nowMs;
}

/** An init container that keeps running beside the others. */
export function isSidecar(container: DeepReadonly<Container>): boolean {
  return container.restartPolicy === "Always";
}

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Guaranteed: every container limits cpu and memory and requests as much; BestEffort: none asks for anything. */
export function podQosClass(pod: DeepReadonly<Pod>): QosClass {
  const { spec } = pod;
  if (spec === undefined) return "BestEffort";
  if (spec.resources?.requests !== undefined || spec.resources?.limits !== undefined) return qosOf([spec.resources]);
  const { containers: own = [], initContainers } = spec;
  const containers = initContainers === undefined ? own : [...own, ...initContainers];
  return qosOf(containers.map(({ resources }) => resources));
}

function qosOf(all: readonly (DeepReadonly<ResourceRequirements> | undefined)[]): QosClass {
  const sums = { requests: [0, 0], limits: [0, 0] };
  let hasLimits = true;
  for (const resources of all) {
    for (const [i, name] of ["cpu", "memory"].entries()) {
      sums.requests[i] = (sums.requests[i] ?? 0) + milliOf(resources?.requests?.[name]);
      const limit = milliOf(resources?.limits?.[name]);
      sums.limits[i] = (sums.limits[i] ?? 0) + limit;
      if (limit === 0) hasLimits = false;
    }
  }
  const [cpuRequest = 0, memoryRequest = 0] = sums.requests;
  const [cpuLimit = 0, memoryLimit = 0] = sums.limits;
  if (cpuRequest + memoryRequest + cpuLimit + memoryLimit === 0) return "BestEffort";
  return hasLimits && cpuRequest === cpuLimit && memoryRequest === memoryLimit ? "Guaranteed" : "Burstable";
}

function milliOf(quantity: string | undefined): number {
  return quantity === undefined ? 0 : Math.max(0, quantityMilli(quantity));
}
