// A pod as the scheduler sees it: what it asks for, computed once.
import { isSidecar, podClaims, podRequests, podTopologyLabels } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, objectKey } from "../../machinery/index.ts";
import { type Judged, type PodTerms, podTerms } from "./affinity-term.ts";

type Labels = Readonly<Record<string, string>>;

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

export interface PodInfo extends Judged {
  readonly key: string;
  readonly uid: string;
  /** The newest version that counts as this one does; the one before is not kept alive. */
  pod: DeepReadonly<Pod>;
  readonly requests: ResourceAmounts;
  /** Requests with the assumed minimum for pods that ask for nothing, so that those spread too. */
  readonly scoredCpuMilli: number;
  readonly scoredMemoryBytes: number;
  readonly hostPorts: readonly HostPort[];
  readonly priority: number;
  readonly terms: PodTerms;
  /** Keys of the PersistentVolumeClaims that it uses. */
  readonly claims: readonly string[];
  readonly isTerminating: boolean;
  /** Equal for pods that selectors treat alike. */
  readonly groupKey: string;
}

/** What a container that asks for nothing is taken to use when nodes are scored. */
const ASSUMED_CPU_MILLI = 100;
const ASSUMED_MEMORY_BYTES = 200 * 2 ** 20;

export function podInfo(pod: DeepReadonly<Pod>): PodInfo {
  const requests = podRequests(pod, { usesStatus: Boolean(pod.spec?.nodeName) });
  const { namespace = "", labels = {}, deletionTimestamp } = pod.metadata;
  const isTerminating = deletionTimestamp !== undefined;
  return {
    key: objectKey(pod),
    uid: pod.metadata.uid ?? "",
    namespace,
    labels,
    pod,
    requests,
    scoredCpuMilli: requests.cpuMilli + unspecified(pod, "cpu") * ASSUMED_CPU_MILLI,
    scoredMemoryBytes: requests.memoryBytes + unspecified(pod, "memory") * ASSUMED_MEMORY_BYTES,
    hostPorts: hostPortsOf(pod),
    priority: pod.spec?.priority ?? 0,
    terms: podTerms(pod),
    claims: podClaims(pod).map(({ name }) => `${namespace}/${name}`),
    isTerminating,
    groupKey: groupKeyOf(namespace, labels, isTerminating),
  };
}

function groupKeyOf(namespace: string, labels: Labels, isTerminating: boolean): string {
  return JSON.stringify([namespace, labels, isTerminating]);
}

/** As the pod will count once the server has bound it to a node with these labels: it gets some of them. */
export function podInfoOn(info: PodInfo, nodeLabels: Labels | undefined): PodInfo {
  const added = podTopologyLabels(nodeLabels);
  if (added === undefined) return info;
  const { namespace, pod, isTerminating } = info;
  const labels = { ...added, ...info.labels };
  return {
    ...info,
    labels,
    pod: { ...pod, metadata: { ...pod.metadata, labels } },
    groupKey: groupKeyOf(namespace, labels, isTerminating),
  };
}

/** Whether an assigned pod counts on its node and for other pods as it did before; its generation speaks for the specification. */
export function countsAlike(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): boolean {
  return (
    old.metadata.generation === pod.metadata.generation &&
    (old.metadata.deletionTimestamp === undefined) === (pod.metadata.deletionTimestamp === undefined) &&
    deepEqual(old.metadata.labels, pod.metadata.labels) &&
    deepEqual(allocations(old), allocations(pod))
  );
}

function allocations(pod: DeepReadonly<Pod>): readonly unknown[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].map(({ name, allocatedResources, resources }) =>
    allocatedResources === undefined && resources === undefined ? undefined : [name, allocatedResources, resources?.requests],
  );
}

function unspecified(pod: DeepReadonly<Pod>, resource: string): number {
  if (pod.spec?.resources?.requests?.[resource] !== undefined) return 0;
  let count = 0;
  for (const container of pod.spec?.containers ?? []) if (container.resources?.requests?.[resource] === undefined) count++;
  return count;
}

function hostPortsOf(pod: DeepReadonly<Pod>): HostPort[] {
  const ports: HostPort[] = [];
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter(isSidecar)]) {
    for (const port of container.ports ?? []) {
      if (port.hostPort === undefined || port.hostPort === 0) continue;
      ports.push({ protocol: port.protocol ?? "TCP", ip: port.hostIP || "0.0.0.0", port: port.hostPort });
    }
  }
  return ports;
}
