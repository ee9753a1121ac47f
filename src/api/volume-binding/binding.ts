// Words by which claims and volumes are bound, and what the objects say of it.

import type { DeepReadonly } from "../../machinery/index.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../types/core/v1.ts";
import type { StorageClass } from "../types/storage/v1.ts";

export type Claim = DeepReadonly<PersistentVolumeClaim>;
export type Volume = DeepReadonly<PersistentVolume>;
export type Class = DeepReadonly<StorageClass>;

/** On a claim: the controller has written all of the binding. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** On the side that the controller filled in, and a person did not. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
/** On a volume: whose provisioner made it, and so deletes it. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** On a claim: the provisioner that is to make its volume. */
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
export const BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
/** On a claim, by the scheduler: the node of its first pod. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const BETA_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** "" for none; undefined when the claim left the choice to the cluster. */
export function claimClass({ metadata, spec }: Claim): string | undefined {
  return metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec?.storageClassName;
}

export function volumeClass({ metadata, spec }: Volume): string {
  return metadata.annotations?.[BETA_STORAGE_CLASS] ?? spec?.storageClassName ?? "";
}

/** Whether the volume is meant for the claim of this name; a uid that is set must be the claim's. */
export function isMeantFor({ spec }: Volume, { metadata }: Claim): boolean {
  const reference = spec?.claimRef;
  if (reference?.name !== metadata.name || reference?.namespace !== metadata.namespace) return false;
  return reference?.uid === undefined || reference.uid === "" || reference.uid === metadata.uid;
}

/** Whether claims of the class wait for a pod before they get a volume. */
export function waitsForConsumer(storageClass: Class | undefined): boolean {
  return storageClass?.volumeBindingMode === "WaitForFirstConsumer";
}

/** The newest of the default classes. */
export function defaultClass(classes: readonly Class[]): Class | undefined {
  const defaults = classes.filter(({ metadata }) => DEFAULT_CLASS.some((key) => metadata.annotations?.[key] === "true"));
  return defaults.toSorted((a, b) => createdAt(b) - createdAt(a) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))[0];
}

function createdAt({ metadata }: Class): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
