// Makes NodeMetrics and PodMetrics of two looks at a node.
import type { NodeMetrics, PodMetrics, ResourceUsage } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { type DeepReadonly, type KubeObject, Quantity } from "../../machinery/index.ts";
import { containerKey, rateBetween, type UsageRate } from "./usage.ts";
import type { UsagePair } from "./usage-cache.ts";

const NANO_PER_UNIT = 1_000_000_000n;
const API_VERSION = "metrics.k8s.io/v1beta1";

/** Undefined until the node has told its usage twice. */
export function nodeMetricsOf(node: DeepReadonly<Node>, { earlier, later }: UsagePair, nowMs: number): NodeMetrics | undefined {
  const rate = rateBetween(earlier.node, later.node);
  if (rate === undefined) return undefined;
  return { kind: "NodeMetrics", apiVersion: API_VERSION, metadata: metadataOf(node, nowMs), ...interval(rate), usage: usageOf(rate) };
}

/** Undefined unless the usage of every container that runs is known: a sum of some would mislead autoscalers. */
export function podMetricsOf(pod: DeepReadonly<Pod>, { earlier, later }: UsagePair, nowMs: number): PodMetrics | undefined {
  const { namespace = "", name = "" } = pod.metadata;
  const rates = runningContainers(pod).map((container) => {
    const key = containerKey(namespace, name, container);
    return { container, rate: rateBetween(earlier.containers.get(key), later.containers.get(key)) };
  });
  const known = rates.filter((entry): entry is { container: string; rate: UsageRate } => entry.rate !== undefined);
  const [first] = known;
  if (first === undefined || known.length < rates.length) return undefined;
  const latest = known.reduce((last, { rate }) => (rate.endMs > last.endMs ? rate : last), first.rate);
  const containers = known.map(({ container, rate }) => ({ name: container, usage: usageOf(rate) }));
  return { kind: "PodMetrics", apiVersion: API_VERSION, metadata: metadataOf(pod, nowMs), ...interval(latest), containers };
}

function runningContainers({ status }: DeepReadonly<Pod>): readonly string[] {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.filter(({ state }) => state?.running !== undefined).map(({ name }) => name);
}

function metadataOf({ metadata }: DeepReadonly<KubeObject>, nowMs: number): KubeObject["metadata"] {
  const { name = "", namespace, labels } = metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels: { ...labels } }),
    creationTimestamp: formatTime(nowMs),
  };
}

function interval({ endMs, windowMs }: UsageRate): { readonly timestamp: string; readonly window: string } {
  return { timestamp: formatTime(endMs), window: `${windowMs / 1_000}s` };
}

function usageOf({ cpuCores, memoryBytes }: UsageRate): ResourceUsage {
  return {
    cpu: new Quantity(BigInt(Math.round(cpuCores * 1e9)), "DecimalSI").toString(),
    memory: new Quantity(BigInt(Math.round(memoryBytes)) * NANO_PER_UNIT, "BinarySI").toString(),
  };
}
