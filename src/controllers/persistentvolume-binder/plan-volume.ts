// What to do about a volume: its phase, and what becomes of it when its claim is gone. Pure.

import { type Claim, PROVISIONED_BY, type Volume } from "../../api/index.ts";
import type { PersistentVolumeStatus } from "../../api/types/core/v1.ts";
import type { PlannedEvent } from "./plan-claim.ts";

export interface VolumePlan {
  readonly phase?: "Available" | "Bound" | "Released" | "Failed";
  readonly message?: string;
  /** The binding is taken back. */
  readonly isUnbound?: boolean;
  /** The claim it refers to has yet to be told. */
  readonly isClaimDue?: boolean;
  readonly event?: PlannedEvent;
}

/** @see kubernetes `pkg/controller/volume/persistentvolume/pv_controller.go` syncVolume */
export function planVolume(volume: Volume, claim: Claim | undefined): VolumePlan {
  const reference = volume.spec?.claimRef;
  if (reference === undefined) return { phase: "Available" };
  // A person has set it apart for a claim.
  if (reference.uid === undefined || reference.uid === "") return { phase: "Available", isClaimDue: true };
  if (claim === undefined || claim.metadata.uid !== reference.uid) return planReleased(volume);
  const { volumeName = "" } = claim.spec ?? {};
  if (volumeName === "") return { isClaimDue: true };
  if (volumeName === volume.metadata.name) return { phase: "Bound" };
  // The claim has taken another volume.
  if (volume.metadata.annotations?.[PROVISIONED_BY] !== undefined && volume.spec?.persistentVolumeReclaimPolicy === "Delete") {
    return planReleased(volume);
  }
  return { isUnbound: true };
}

function planReleased({ metadata, spec, status }: Volume): VolumePlan {
  const failed = (reason: string, message: string): VolumePlan =>
    status?.phase === "Failed" ? {} : { phase: "Failed", message, event: { type: "Warning", reason, message } };
  // What has once failed to be reclaimed is left to a person.
  if (status?.phase === "Failed") return {};
  switch (spec?.persistentVolumeReclaimPolicy) {
    case "Recycle":
      return failed("VolumeFailedRecycle", "No recycler plugin found for the volume!");
    case "Delete":
      if (metadata.annotations?.[PROVISIONED_BY] !== undefined) return { phase: "Released" };
      return failed("VolumeFailedDelete", `error getting deleter volume plugin for volume "${metadata.name}": no volume plugin matched`);
    default:
      return { phase: "Released" };
  }
}

/** The status with the planned phase; undefined when it says so already. */
export function volumeStatus(volume: Volume, { phase, message }: VolumePlan): PersistentVolumeStatus | undefined {
  if (phase === undefined || (volume.status?.phase === phase && volume.status.message === message)) return undefined;
  const { message: _, reason: __, ...kept } = volume.status ?? {};
  return { ...kept, phase, ...(message === undefined ? {} : { message }) };
}
