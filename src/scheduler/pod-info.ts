// A pod as the scheduler sees it: what it asks for, computed once.
import { podRequests } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import { type DeepReadonly, objectKey } from "../machinery/index.ts";

/** Amounts of resources; CPU in millicores, the rest in bytes or pieces. */
export interface ResourceAmounts {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly extended: ReadonlyMap<string, number>;
}

export interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

export interface PodInfo {
  readonly key: string;
  readonly uid: string;
  readonly pod: DeepReadonly<Pod>;
  readonly requests: ResourceAmounts;
  /** Requests with the assumed minimum for pods that ask for nothing, so that those spread too. */
  readonly scoredCpuMilli: number;
  readonly scoredMemoryBytes: number;
  readonly hostPorts: readonly HostPort[];
  readonly priority: number;
  /** Equal for pods that every node treats alike. */
  readonly classKey: string;
}

/** What a container that asks for nothing is taken to use when nodes are scored. */
const ASSUMED_CPU_MILLI = 100;
const ASSUMED_MEMORY_BYTES = 200 * 2 ** 20;

export function podInfo(pod: DeepReadonly<Pod>): PodInfo {
  const requests = podRequests(pod);
  const hostPorts = hostPortsOf(pod);
  const { nodeName, nodeSelector, affinity, tolerations } = pod.spec ?? {};
  return {
    key: objectKey(pod),
    uid: pod.metadata.uid ?? "",
    pod,
    requests,
    scoredCpuMilli: requests.cpuMilli + unspecified(pod, "cpu") * ASSUMED_CPU_MILLI,
    scoredMemoryBytes: requests.memoryBytes + unspecified(pod, "memory") * ASSUMED_MEMORY_BYTES,
    hostPorts,
    priority: pod.spec?.priority ?? 0,
    classKey: JSON.stringify([
      requests.cpuMilli,
      requests.memoryBytes,
      requests.ephemeralBytes,
      [...requests.extended],
      hostPorts,
      nodeName,
      nodeSelector,
      affinity?.nodeAffinity,
      tolerations,
    ]),
  };
}

function unspecified(pod: DeepReadonly<Pod>, resource: string): number {
  return (pod.spec?.containers ?? []).filter((container) => container.resources?.requests?.[resource] === undefined).length;
}

function hostPortsOf(pod: DeepReadonly<Pod>): HostPort[] {
  const ports: HostPort[] = [];
  for (const container of pod.spec?.containers ?? []) {
    for (const port of container.ports ?? []) {
      if (port.hostPort === undefined || port.hostPort === 0) continue;
      ports.push({ protocol: port.protocol ?? "TCP", ip: port.hostIP || "0.0.0.0", port: port.hostPort });
    }
  }
  return ports;
}
