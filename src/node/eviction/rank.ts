// Which pod is evicted first, and what its status says then. Pure.
import { Quantity } from "../../machinery/index.ts";
import type { PodObject } from "../pod/pod-object.ts";
import type { EndCause } from "../pod/pod-view.ts";
import { amounts, podRequests } from "../resources/pod-resources.ts";
import type { PassedThreshold } from "./pressure.ts";
import { amountOf, type EvictionSignal } from "./thresholds.ts";

/** What a pod uses; what is unknown counts as nothing. */
export interface PodUse {
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly inodes: number;
  readonly processes: number;
  readonly containers: readonly ContainerUse[];
  /** What emptyDirs hold on disk, by volume name. */
  readonly emptyDirBytes: ReadonlyMap<string, number>;
}

export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: number;
  /** Its writable layer and its logs. */
  readonly diskBytes: number;
  readonly logBytes?: number;
}

export interface PodWithUse {
  readonly pod: PodObject;
  readonly use: PodUse;
}

const NANO = 1_000_000_000n;
const CRITICAL_PRIORITY = 2_000_000_000;
const SOURCE_ANNOTATION = "kubernetes.io/config.source";

type Resource = "memory" | "ephemeral-storage" | "inodes" | "pids";

const RESOURCE_OF: Readonly<Record<EvictionSignal, Resource>> = {
  "memory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "nodefs.inodesFree": "inodes",
  "imagefs.available": "ephemeral-storage",
  "imagefs.inodesFree": "inodes",
  "pid.available": "pids",
};

export function resourceOf(signal: EvictionSignal): Resource {
  return RESOURCE_OF[signal];
}

/** Pods that the system itself needs are never evicted. */
export function isCritical({ metadata, spec }: PodObject): boolean {
  return (spec?.priority ?? 0) >= CRITICAL_PRIORITY || metadata.annotations?.[SOURCE_ANNOTATION] === "file";
}

/**
 * The pods that may be evicted for a signal, the first to go first: who uses more than it asked for, then by priority, then
 * by how much more.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection-for-kubelet-eviction
 */
export function rankPods(pods: readonly PodWithUse[], signal: EvictionSignal): readonly PodWithUse[] {
  const resource = RESOURCE_OF[signal];
  const excess = ({ pod, use }: PodWithUse) => usedOf(use, resource) - requestOf(pod, resource);
  const isOver = (candidate: PodWithUse) => (resource === "memory" || resource === "ephemeral-storage") && excess(candidate) > 0;
  return pods
    .filter(({ pod }) => !isCritical(pod))
    .toSorted(
      (a, b) => Number(isOver(b)) - Number(isOver(a)) || (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0) || excess(b) - excess(a),
    );
}

function usedOf(use: PodUse, resource: Resource): number {
  if (resource === "memory") return use.memoryBytes;
  if (resource === "ephemeral-storage") return use.diskBytes;
  return resource === "inodes" ? use.inodes : use.processes;
}

function requestOf(pod: PodObject, resource: Resource): number {
  return podRequests(pod).get(resource) ?? 0;
}

/** A number of bytes as the messages write it. */
export function formatBytes(bytes: number): string {
  return new Quantity(BigInt(Math.floor(bytes)) * NANO, "BinarySI").toString();
}

export function evicted(message: string): EndCause {
  return { phase: "Failed", reason: "Evicted", message, isDisruption: true };
}

/** Why a pod had to go for a threshold. */
export function pressureCause({ pod, use }: PodWithUse, { threshold, observed }: PassedThreshold): EndCause {
  const resource = RESOURCE_OF[threshold.signal];
  const quantity = amountOf(threshold.value, observed.capacity);
  const parts = [
    `The node was low on resource: ${resource}. `,
    `Threshold quantity: ${formatBytes(quantity)}, available: ${formatBytes(observed.available)}. `,
  ];
  for (const container of use.containers) {
    const spec = pod.spec?.containers.find(({ name }) => name === container.name);
    const used = resource === "memory" ? container.memoryBytes : resource === "ephemeral-storage" ? container.diskBytes : 0;
    const request = amounts(spec?.resources?.requests).get(resource) ?? 0;
    if (spec === undefined || used <= request) continue;
    parts.push(
      `Container ${container.name} was using ${formatBytes(used)}, request is ${formatBytes(request)}, has larger consumption of ${resource}. `,
    );
  }
  return evicted(parts.join(""));
}
