// What a pod asks for and may use: the sums over its containers, and its quality of service class.
import type { Container } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { isSidecar, type PodObject } from "../pod/pod-object.ts";
import { milliValue, wholeValue } from "./quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Amounts by resource name; cpu in thousandths, all else in whole units. */
export type Amounts = ReadonlyMap<string, number>;

export function amounts(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, name === "cpu" ? milliValue(text) : wholeValue(text)]));
}

function add(into: Map<string, number>, from: Amounts): void {
  for (const [name, value] of from) into.set(name, (into.get(name) ?? 0) + value);
}

function max(into: Map<string, number>, from: Amounts): void {
  for (const [name, value] of from) into.set(name, Math.max(into.get(name) ?? 0, value));
}

function sumOver(pod: PodObject, pick: (container: DeepReadonly<Container>) => Amounts): Map<string, number> {
  const total = new Map<string, number>();
  const sidecars = new Map<string, number>();
  const initPeak = new Map<string, number>();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = pick(container);
    if (isSidecar(container)) {
      add(sidecars, own);
      max(initPeak, sidecars);
    } else {
      const atThatTime = new Map(sidecars);
      add(atThatTime, own);
      max(initPeak, atThatTime);
    }
  }
  for (const container of pod.spec?.containers ?? []) add(total, pick(container));
  add(total, sidecars);
  max(total, initPeak);
  return total;
}

/**
 * The pod's effective requests: the larger of what runs together and the most demanding init container, plus overhead.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function podRequests(pod: PodObject): Amounts {
  const total = sumOver(pod, (container) => amounts(container.resources?.requests));
  for (const [name, value] of amounts(pod.spec?.resources?.requests)) total.set(name, value);
  add(total, amounts(pod.spec?.overhead));
  return total;
}

/** The pod's effective limit of `resource`; undefined when a container has none, for then the pod has none. */
export function podLimit(pod: PodObject, resource: "cpu" | "memory"): number | undefined {
  const ofPod = amounts(pod.spec?.resources?.limits).get(resource);
  const overhead = amounts(pod.spec?.overhead).get(resource) ?? 0;
  if (ofPod !== undefined) return ofPod + overhead;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  if (all.some((container) => container.resources?.limits?.[resource] === undefined)) return undefined;
  return (sumOver(pod, (container) => amounts(container.resources?.limits)).get(resource) ?? 0) + overhead;
}

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClass(pod: PodObject): QosClass {
  const known = pod.status?.qosClass;
  if (known === "Guaranteed" || known === "Burstable" || known === "BestEffort") return known;
  const podLevel = pod.spec?.resources;
  const all = podLevel === undefined ? [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])] : [{ resources: podLevel }];
  let isGuaranteed = true;
  let isBestEffort = true;
  for (const { resources } of all) {
    const requests = amounts(resources?.requests);
    const limits = amounts(resources?.limits);
    for (const name of ["cpu", "memory"]) {
      const request = requests.get(name) ?? 0;
      const limit = limits.get(name) ?? 0;
      if (request > 0 || limit > 0) isBestEffort = false;
      if (limit === 0 || (requests.has(name) && request !== limit)) isGuaranteed = false;
    }
  }
  if (isBestEffort) return "BestEffort";
  return isGuaranteed ? "Guaranteed" : "Burstable";
}
