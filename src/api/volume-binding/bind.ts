// The two objects of a binding as they are to be. Pure; each answer is undefined when the object is so already.

import { deepEqual } from "../../machinery/index.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../types/core/v1.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type Claim, isMeantFor, type Volume } from "./binding.ts";

/** The volume with its reference to the claim. */
export function boundVolume(volume: Volume, claim: Claim): PersistentVolume | undefined {
  const { name, namespace, uid } = claim.metadata;
  const reference = volume.spec?.claimRef;
  if (reference?.uid === uid && isMeantFor(volume, claim)) return undefined;
  const annotations = isMeantFor(volume, claim) ? {} : { [BOUND_BY_CONTROLLER]: "yes" };
  const { resourceVersion } = claim.metadata;
  return {
    ...(volume as PersistentVolume),
    metadata: { ...(volume as PersistentVolume).metadata, annotations: { ...volume.metadata.annotations, ...annotations } },
    spec: {
      ...(volume as PersistentVolume).spec,
      claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion },
    },
  };
}

/** The volume as free again: what the controller wrote is gone, and of a person's reference the uid. */
export function unboundVolume(volume: Volume): PersistentVolume {
  const { [BOUND_BY_CONTROLLER]: byController, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = (volume as PersistentVolume).spec ?? {};
  const kept = byController === undefined && claimRef !== undefined ? { claimRef: { ...claimRef, uid: undefined } } : {};
  return {
    ...(volume as PersistentVolume),
    metadata: { ...(volume as PersistentVolume).metadata, annotations },
    spec: { ...spec, ...kept },
  };
}

/** The claim with its volume's name. */
export function boundClaim(claim: Claim, volume: Volume): PersistentVolumeClaim | undefined {
  const known = claim.metadata.annotations ?? {};
  const { volumeName = "" } = claim.spec ?? {};
  const isNamed = volumeName === volume.metadata.name;
  if (isNamed && known[BIND_COMPLETED] !== undefined) return undefined;
  const annotations = { ...known, ...(isNamed ? {} : { [BOUND_BY_CONTROLLER]: "yes" }), [BIND_COMPLETED]: "yes" };
  return {
    ...(claim as PersistentVolumeClaim),
    metadata: { ...(claim as PersistentVolumeClaim).metadata, annotations },
    spec: { ...(claim as PersistentVolumeClaim).spec, volumeName: volume.metadata.name },
  };
}

/** The claim's status; the capacity of a bound claim is whoever resizes it to say. */
export function boundClaimStatus(claim: Claim, volume: Volume): PersistentVolumeClaim | undefined {
  const known = claim.status ?? {};
  const { accessModes, capacity, volumeAttributesClassName } = volume.spec ?? {};
  const hasCapacity = known.phase === "Bound" && known.capacity?.["storage"] !== undefined;
  const status = {
    ...known,
    phase: "Bound",
    accessModes,
    capacity: hasCapacity ? known.capacity : { ...known.capacity, storage: capacity?.["storage"] ?? "0" },
    ...(volumeAttributesClassName === undefined ? {} : { currentVolumeAttributesClassName: volumeAttributesClassName }),
  };
  return deepEqual(status, known) ? undefined : ({ ...claim, status } as PersistentVolumeClaim);
}
