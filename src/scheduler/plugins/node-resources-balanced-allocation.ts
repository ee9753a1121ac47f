import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { MAX_SCORE, type Plugin } from "../framework/plugin.ts";
import { DEFAULT_RESOURCES, type ResourceSpec, resourceUse } from "./resource-scoring.ts";
import { withWeight } from "./scoring-strategy.ts";

export interface NodeResourcesBalancedAllocationArgs {
  readonly resources?: readonly ResourceSpec[];
}

/** 100 when all resources are used to the same degree; less the more they differ. */
function balance(fractions: readonly number[]): number {
  const [first = 0, second = 0] = fractions;
  // The standard deviation of two numbers is half their distance.
  if (fractions.length === 2) return Math.floor((1 - Math.abs(first - second) / 2) * MAX_SCORE);
  if (fractions.length < 2) return MAX_SCORE;
  const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
  const variance = fractions.reduce((sum, fraction) => sum + (fraction - mean) ** 2, 0) / fractions.length;
  return Math.floor((1 - Math.sqrt(variance)) * MAX_SCORE);
}

/** By how much the pod makes the node's use more even: above 75 for the better, below for the worse. */
function scoreOf(pod: PodInfo, node: NodeInfo, specs: readonly ResourceSpec[]): number {
  const before: number[] = [];
  const after: number[] = [];
  for (const { name } of specs) {
    const { allocatable, used, requested } = resourceUse(pod, node, name);
    if (allocatable === 0) continue;
    before.push(Math.min(1, used / allocatable));
    after.push(Math.min(1, requested / allocatable));
  }
  const half = MAX_SCORE / 2;
  return half + Math.trunc((half + balance(after) - balance(before)) / 2);
}

/** Rather nodes whose resources the pod brings closer to being used to the same degree. */
export function nodeResourcesBalancedAllocation({ resources }: NodeResourcesBalancedAllocationArgs = {}): Plugin {
  const specs = (resources ?? DEFAULT_RESOURCES).map(withWeight);
  const asks = ({ requests }: PodInfo, name: string) => {
    if (name === "cpu") return requests.cpuMilli > 0;
    if (name === "memory") return requests.memoryBytes > 0;
    return name === "ephemeral-storage" ? requests.ephemeralBytes > 0 : (requests.extended.get(name) ?? 0) > 0;
  };
  return {
    name: "NodeResourcesBalancedAllocation",
    reads: ({ requests }) => [requests.cpuMilli, requests.memoryBytes, requests.ephemeralBytes, [...requests.extended]],
    scoring: {
      normalization: "none",
      applies: (pod) => specs.some(({ name }) => asks(pod, name)),
      score: (pod, node) => scoreOf(pod, node, specs),
    },
  };
}
