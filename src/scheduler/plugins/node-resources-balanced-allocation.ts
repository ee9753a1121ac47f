import { MAX_SCORE, type ScheduledPlugin } from "../framework.ts";

function fraction(requested: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, requested / total);
}

/** Rather nodes where CPU and memory would be used to the same degree. */
export const nodeResourcesBalancedAllocation: ScheduledPlugin = {
  name: "NodeResourcesBalancedAllocation",
  wakesOn: [],
  scoring: {
    weight: 1,
    normalization: "none",
    applies: (pod) => pod.requests.cpuMilli > 0 || pod.requests.memoryBytes > 0,
    score: (pod, node) => {
      const cpu = fraction(node.cpuMilli + pod.requests.cpuMilli, node.allocatable.cpuMilli);
      const memory = fraction(node.memoryBytes + pod.requests.memoryBytes, node.allocatable.memoryBytes);
      // The standard deviation of two numbers is half their distance.
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * MAX_SCORE);
    },
  },
};
