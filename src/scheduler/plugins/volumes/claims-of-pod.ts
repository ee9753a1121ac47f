// The claims of a pod that is to be scheduled: which are bound, which the scheduler is to find volumes for. Pure.
import { BIND_COMPLETED, type Claim, podClaims, waitsForConsumer } from "../../../api/index.ts";
import { isControlledBy } from "../../../client/index.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import type { StorageListers } from "./storage-listers.ts";

export interface SchedulableClaims {
  readonly bound: readonly Claim[];
  /** They wait for their first consumer, which is this pod. */
  readonly waiting: readonly Claim[];
}

/** A claim is fully bound when the controller has written both sides. */
export function isFullyBound({ metadata, spec }: Claim): boolean {
  return Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

/** Or why no node can take the pod, in upstream's words. */
export function claimsOfPod({ pod, namespace }: PodInfo, listers: Pick<StorageListers, "claim" | "classOf">): SchedulableClaims | string {
  const bound: Claim[] = [];
  const waiting: Claim[] = [];
  let isUnbound = false;
  for (const { name, isEphemeral } of podClaims(pod)) {
    const claim = listers.claim(`${namespace}/${name}`);
    if (claim === undefined) {
      return isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === "Lost") {
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ""}"`;
    }
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
    if (isEphemeral && !isControlledBy(claim, pod)) {
      return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name ?? ""} (pod is not owner)`;
    }
    if (isFullyBound(claim)) bound.push(claim);
    else if (!claim.spec?.volumeName && waitsForConsumer(listers.classOf(claim))) waiting.push(claim);
    else isUnbound = true;
  }
  return isUnbound ? "pod has unbound immediate PersistentVolumeClaims" : { bound, waiting };
}
