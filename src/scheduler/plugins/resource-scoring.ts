// What the resource plug-ins know of a node: how much of a resource there is, and how much would be used.
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";

export interface ResourceSpec {
  readonly name: string;
  readonly weight: number;
}

export const DEFAULT_RESOURCES: readonly ResourceSpec[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

export interface ResourceUse {
  readonly allocatable: number;
  /** By the pods that are there. */
  readonly used: number;
  /** With the pod. */
  readonly requested: number;
}

/** Of a resource that the node does not have, or (extended ones) that the pod does not ask for. */
const NOTHING: ResourceUse = { allocatable: 0, used: 0, requested: 0 };

/** `assumesMinimum`: pods that ask for no CPU or memory are taken to use a little. */
export function resourceUse(pod: PodInfo, node: NodeInfo, name: string, { assumesMinimum = false } = {}): ResourceUse {
  switch (name) {
    case "cpu": {
      const used = assumesMinimum ? node.scoredCpuMilli : node.cpuMilli;
      const wanted = assumesMinimum ? pod.scoredCpuMilli : pod.requests.cpuMilli;
      return { allocatable: node.allocatable.cpuMilli, used, requested: used + wanted };
    }
    case "memory": {
      const used = assumesMinimum ? node.scoredMemoryBytes : node.memoryBytes;
      const wanted = assumesMinimum ? pod.scoredMemoryBytes : pod.requests.memoryBytes;
      return { allocatable: node.allocatable.memoryBytes, used, requested: used + wanted };
    }
    case "ephemeral-storage": {
      const used = node.ephemeralBytes;
      return { allocatable: node.allocatable.ephemeralBytes, used, requested: used + pod.requests.ephemeralBytes };
    }
    default: {
      const wanted = pod.requests.extended.get(name) ?? 0;
      if (wanted === 0) return NOTHING;
      const used = node.extended.get(name) ?? 0;
      return { allocatable: node.allocatable.extended.get(name) ?? 0, used, requested: used + wanted };
    }
  }
}
