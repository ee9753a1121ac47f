// What a node says of itself, as its object's labels, capacity and addresses. Pure.
import type { ContainerImage, Node, NodeCondition, NodeStatus, Taint } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { formatBytes } from "../eviction/rank.ts";
import type { ImageStatus, RuntimeStatus } from "../runtime/runtime.ts";

export interface MachineInfo {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Bytes in huge pages, by resource name such as `hugepages-2Mi`: so much less is memory. Default: none of the usual two. */
  readonly hugePages?: Readonly<Record<string, number>>;
  /** Of the file system that holds pods; 0 leaves the resource out. */
  readonly storageBytes?: number;
  readonly kernel: string;
  readonly osImage: string;
  readonly bootId: string;
  readonly machineId: string;
  readonly systemUuid: string;
  /** Go's name: `amd64`, `arm64`. */
  readonly architecture: string;
  /** Default: no. */
  readonly isAppArmorEnabled?: boolean;
}

export interface NodeFacts {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly kubeletPort: number;
  readonly machine: MachineInfo;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly taints: DeepReadonly<Taint[]>;
  readonly maxPods: number;
  /** What is kept back from pods, by resource name. */
  readonly reserved: Readonly<Record<string, number>>;
}

export interface NodeHealth {
  readonly isReady: boolean;
  /** Why not. */
  readonly message: string;
  readonly runtimeVersion: string;
  /** What the runtime says of itself, when it is known. */
  readonly runtime?: RuntimeStatus | undefined;
  readonly pressures: ReadonlySet<"MemoryPressure" | "DiskPressure" | "PIDPressure">;
}

export const KUBELET_VERSION = "v1.36.0";
/** As many as upstream reports. */
const MAX_IMAGES = 50;

export function nodeLabels({ nodeName, machine, labels }: NodeFacts): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": machine.architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": machine.architecture,
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": "linux",
    ...labels,
  };
}

export function nodeAnnotations({ annotations }: Pick<NodeFacts, "annotations">): Record<string, string> {
  return { "volumes.kubernetes.io/controller-managed-attach-detach": "true", ...annotations };
}

const NO_HUGE_PAGES: Readonly<Record<string, number>> = { "hugepages-1Gi": 0, "hugepages-2Mi": 0 };

function resourceList({ machine, maxPods }: NodeFacts, keptBack: Readonly<Record<string, number>>): Record<string, string> {
  const { cpus, memoryBytes, storageBytes = 0, hugePages = NO_HUGE_PAGES } = machine;
  const milliCpus = Math.max(0, cpus * 1000 - (keptBack["cpu"] ?? 0) * 1000);
  const memory = Math.max(0, memoryBytes - (keptBack["memory"] ?? 0));
  const storage = Math.max(0, storageBytes - (keptBack["ephemeral-storage"] ?? 0));
  return {
    cpu: milliCpus % 1000 === 0 ? String(milliCpus / 1000) : `${Math.floor(milliCpus)}m`,
    ...(storageBytes > 0 ? { "ephemeral-storage": `${Math.floor(storage / 1024)}Ki` } : {}),
    ...Object.fromEntries(Object.entries(hugePages).map(([name, bytes]) => [name, formatBytes(bytes)])),
    memory: `${Math.floor(memory / 1024)}Ki`,
    pods: String(maxPods),
  };
}

export function nodeCapacity(facts: NodeFacts): Record<string, string> {
  return resourceList(facts, {});
}

export function nodeAllocatable(facts: NodeFacts): Record<string, string> {
  return resourceList(facts, facts.reserved);
}

/** The status to report; conditions keep their transition times from `known`. */
export function nodeStatus(
  facts: NodeFacts,
  health: NodeHealth,
  seen: { readonly nowMs: number; readonly known: DeepReadonly<NodeStatus>; readonly images: readonly ImageStatus[] },
): NodeStatus {
  const { machine } = facts;
  return {
    addresses: [...facts.nodeIps.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: facts.nodeName }],
    capacity: nodeCapacity(facts),
    allocatable: nodeAllocatable(facts),
    conditions: conditions(health, seen),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    images: imageList(seen.images),
    ...features(health.runtime),
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: health.runtimeVersion,
      kernelVersion: machine.kernel,
      kubeProxyVersion: "",
      kubeletVersion: KUBELET_VERSION,
      machineID: machine.machineId,
      operatingSystem: "linux",
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
  };
}

/** Only what the runtime tells: one that does not know the question stands for neither yes nor no. */
function features(runtime: RuntimeStatus | undefined): Pick<NodeStatus, "features" | "runtimeHandlers"> {
  if (runtime === undefined) return {};
  const runtimeHandlers = runtime.handlers.map(({ name, recursiveReadOnlyMounts, userNamespaces }) => ({
    ...(name === "" ? {} : { name }),
    features: { recursiveReadOnlyMounts, userNamespaces },
  }));
  return {
    features: { supplementalGroupsPolicy: runtime.supplementalGroupsPolicy },
    ...(runtimeHandlers.length === 0 ? {} : { runtimeHandlers }),
  };
}

const PRESSURES = [
  {
    type: "MemoryPressure",
    has: "KubeletHasInsufficientMemory",
    no: "KubeletHasSufficientMemory",
    hasText: "kubelet has insufficient memory available",
    noText: "kubelet has sufficient memory available",
  },
  {
    type: "DiskPressure",
    has: "KubeletHasDiskPressure",
    no: "KubeletHasNoDiskPressure",
    hasText: "kubelet has disk pressure",
    noText: "kubelet has no disk pressure",
  },
  {
    type: "PIDPressure",
    has: "KubeletHasInsufficientPID",
    no: "KubeletHasSufficientPID",
    hasText: "kubelet has insufficient PID available",
    noText: "kubelet has sufficient PID available",
  },
] as const;

function conditions(
  health: NodeHealth,
  { nowMs, known }: { readonly nowMs: number; readonly known: DeepReadonly<NodeStatus> },
): NodeCondition[] {
  const now = formatTime(nowMs);
  const finish = (draft: NodeCondition): NodeCondition => {
    const before = known.conditions?.find(({ type }) => type === draft.type);
    return {
      ...draft,
      lastHeartbeatTime: now,
      lastTransitionTime: before?.status === draft.status ? (before.lastTransitionTime ?? now) : now,
    };
  };
  const own = PRESSURES.map(({ type, has, no, hasText, noText }): NodeCondition => {
    return health.pressures.has(type)
      ? { type, status: "True", reason: has, message: hasText }
      : { type, status: "False", reason: no, message: noText };
  });
  const ready: NodeCondition = health.isReady
    ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
    : { type: "Ready", status: "False", reason: "KubeletNotReady", message: health.message };
  const foreign = (known.conditions ?? []).filter(({ type }) => type !== "Ready" && !PRESSURES.some((pressure) => pressure.type === type));
  return [...foreign, ...[...own, ready].map(finish)];
}

function imageList(images: readonly ImageStatus[]): ContainerImage[] {
  return images
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, MAX_IMAGES)
    .map(({ repoDigests, repoTags, sizeBytes }) => ({ names: [...repoDigests, ...repoTags].slice(0, 5), sizeBytes }));
}

/** The object with which a node registers. */
export function newNode(facts: NodeFacts, status: NodeStatus, podCidrs: readonly string[] = []): Node {
  const taints = facts.taints.map((taint) => ({ ...taint }));
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: facts.nodeName,
      labels: nodeLabels(facts),
      annotations: nodeAnnotations(facts),
    },
    spec: {
      ...(podCidrs[0] === undefined ? {} : { podCIDR: podCidrs[0], podCIDRs: [...podCidrs] }),
      ...(taints.length === 0 ? {} : { taints }),
    },
    status,
  };
}
