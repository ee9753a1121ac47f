// Only nodes with enough room, and rather those with more of it (LeastAllocated).
import { MAX_SCORE, type Rejection, type ScheduledPlugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";

function fits(pod: PodInfo, node: NodeInfo): Rejection | undefined {
  const { allocatable } = node;
  const { requests } = pod;
  const reasons: string[] = [];
  let isUnresolvable = false;
  const check = (name: string, wanted: number, used: number, total: number) => {
    if (wanted === 0 || wanted <= total - used) return;
    reasons.push(`Insufficient ${name}`);
    isUnresolvable ||= wanted > total;
  };
  if (node.pods.size + 1 > allocatable.pods) reasons.push("Too many pods");
  check("cpu", requests.cpuMilli, node.cpuMilli, allocatable.cpuMilli);
  check("memory", requests.memoryBytes, node.memoryBytes, allocatable.memoryBytes);
  check("ephemeral-storage", requests.ephemeralBytes, node.ephemeralBytes, allocatable.ephemeralBytes);
  for (const [name, amount] of requests.extended) check(name, amount, node.extended.get(name) ?? 0, allocatable.extended.get(name) ?? 0);
  return reasons.length === 0 ? undefined : { reasons, isUnresolvable };
}

/** The share of `total` that is left, 0 to 100. */
function leastRequested(requested: number, total: number): number {
  if (total === 0 || requested > total) return 0;
  return Math.floor(((total - requested) * MAX_SCORE) / total);
}

export const nodeResourcesFit: ScheduledPlugin = {
  name: "NodeResourcesFit",
  wakesOn: ["NodeAdded", "NodeAllocatableChanged", "AssignedPodDeleted"],
  filter: fits,
  scoring: {
    weight: 1,
    normalization: "none",
    score: (pod, node) => {
      const cpu = leastRequested(node.scoredCpuMilli + pod.scoredCpuMilli, node.allocatable.cpuMilli);
      const memory = leastRequested(node.scoredMemoryBytes + pod.scoredMemoryBytes, node.allocatable.memoryBytes);
      return Math.floor((cpu + memory) / 2);
    },
  },
};
