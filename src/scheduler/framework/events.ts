// What happens in a cluster that may let a rejected pod fit, and what an update of a node or pod comes down to.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, type KubeObject } from "../../machinery/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";

/** Resources beside pods and nodes whose changes plug-ins may wait for, by the name that events have. */
const byEventName = {
  Namespace: resources.namespaces,
  PersistentVolumeClaim: resources.persistentvolumeclaims,
  PersistentVolume: resources.persistentvolumes,
  StorageClass: resources.storageclasses,
  CSINode: resources.csinodes,
  CSIDriver: resources.csidrivers,
  CSIStorageCapacity: resources.csistoragecapacities,
  VolumeAttachment: resources.volumeattachments,
  ResourceClaim: resources.resourceclaims,
  ResourceSlice: resources.resourceslices,
  DeviceClass: resources.deviceclasses,
  DeviceTaintRule: resources.devicetaintrules,
  PodGroup: resources.podgroups,
} satisfies Record<string, ResourceRef<KubeObject>>;

export type WatchedResource = keyof typeof byEventName;

export const watchedResources: Readonly<Record<WatchedResource, ResourceRef<KubeObject>>> = byEventName;

/**
 * `Pod…` events are those of the waiting pod itself, `AssignedPod…` of pods that have a node, `UnscheduledPod…` of those that have none. A node's and a pod's
 * updates are told apart by what they change.
 */
export type ClusterEvent =
  | "NodeAdd"
  | "NodeDelete"
  | "NodeUpdateAllocatable"
  | "NodeUpdateLabel"
  | "NodeUpdateTaint"
  | "AssignedPodAdd"
  | "AssignedPodDelete"
  | "AssignedPodUpdateLabel"
  | "AssignedPodScaleDown"
  | "PodUpdate"
  | "UnscheduledPodAdd"
  | `${WatchedResource}${"Add" | "Update" | "Delete"}`;

/** The object before and after; one of them is missing when it came or went. */
export interface ObjectChange<T extends KubeObject = KubeObject> {
  readonly old?: DeepReadonly<T> | undefined;
  readonly new?: DeepReadonly<T> | undefined;
}

/** One reason for which a pod that a plug-in rejected is tried again. */
export interface WakeRule {
  readonly on: ClusterEvent;
  /** Whether this change can help this pod; without a hint every such event can. */
  hint?(pod: PodInfo, change: ObjectChange): boolean;
}

/** Rules without hints. */
export function wakesOn(...events: readonly ClusterEvent[]): WakeRule[] {
  return events.map((on) => ({ on }));
}

/** A rule whose hint looks at objects of type T. */
export function wakesIf<T extends KubeObject>(on: ClusterEvent, hint: (pod: PodInfo, change: ObjectChange<T>) => boolean): WakeRule {
  // The event says what its objects are.
  return { on, hint: hint as (pod: PodInfo, change: ObjectChange) => boolean };
}

/** The events that an update of a node is; none when it changed nothing that pods wait for. */
export function nodeEvents(old: DeepReadonly<Node>, node: DeepReadonly<Node>): ClusterEvent[] {
  const events: ClusterEvent[] = [];
  if (!deepEqual(old.status?.allocatable, node.status?.allocatable)) events.push("NodeUpdateAllocatable");
  if (!deepEqual(old.metadata.labels, node.metadata.labels)) events.push("NodeUpdateLabel");
  if (!deepEqual(old.spec?.taints, node.spec?.taints) || old.spec?.unschedulable !== node.spec?.unschedulable)
    events.push("NodeUpdateTaint");
  return events;
}

/** The events that an update of an assigned pod is, `old` and `info` being how it was and is counted. */
export function assignedPodEvents(old: PodInfo, info: PodInfo): ClusterEvent[] {
  const events: ClusterEvent[] = [];
  if (!deepEqual(labelsOf(old.pod), labelsOf(info.pod))) events.push("AssignedPodUpdateLabel");
  const { requests } = info;
  const isLess =
    requests.cpuMilli < old.requests.cpuMilli ||
    requests.memoryBytes < old.requests.memoryBytes ||
    requests.ephemeralBytes < old.requests.ephemeralBytes;
  if (isLess) events.push("AssignedPodScaleDown");
  return events;
}

function labelsOf(pod: DeepReadonly<Pod>): Readonly<Record<string, string>> {
  return pod.metadata.labels ?? {};
}
