// What the containers of a hollow node have used so far, by their script. Pure.
import type { PodObject } from "../pod/pod-object.ts";
import type { ContainerUsage } from "../runtime/runtime.ts";
import { totalUntil, valueAt } from "../runtime/simulated/usage-curve.ts";
import type { UsageReport } from "../server/stats-summary.ts";
import { behaviourOf, type HollowBehaviours } from "./hollow-pod.ts";

/** The node itself uses the sum of its containers. */
export function hollowUsage(nodeName: string, pods: readonly PodObject[], behaviours: HollowBehaviours, nowMs: number): UsageReport {
  const containers = pods.flatMap((pod) => containersOf(pod, behaviours, nowMs));
  const sum = (value: (usage: ContainerUsage) => number) => containers.reduce((total, usage) => total + value(usage), 0);
  const node = {
    timestampMs: nowMs,
    cpuUsageCoreNanoSeconds: sum((usage) => usage.cpuUsageCoreNanoSeconds),
    memoryWorkingSetBytes: sum((usage) => usage.memoryWorkingSetBytes),
  };
  return { nodeName, node, containers, pods };
}

function containersOf(pod: PodObject, behaviours: HollowBehaviours, nowMs: number): readonly ContainerUsage[] {
  const { uid = "" } = pod.metadata;
  return (pod.status?.containerStatuses ?? []).flatMap(({ name, state }) => {
    const startedMs = Date.parse(state?.running?.startedAt ?? "");
    if (Number.isNaN(startedMs)) return [];
    const { cpuCores = 0, memoryBytes = 0 } = behaviourOf(pod, name, behaviours);
    const usage: ContainerUsage = {
      containerId: `${uid}/${name}`,
      podUid: uid,
      containerName: name,
      cpuUsageCoreNanoSeconds: Math.round(totalUntil(cpuCores, nowMs - startedMs) * 1e6),
      memoryWorkingSetBytes: Math.round(valueAt(memoryBytes, nowMs - startedMs)),
      timestampMs: nowMs,
    };
    return [usage];
  });
}
