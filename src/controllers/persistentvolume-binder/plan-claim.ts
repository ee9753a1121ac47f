// What to do about a claim: bind it, wait, have a volume made, or tell that its volume is lost. Pure.

import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  type Claim,
  type Class,
  claimClass,
  defaultClass,
  findVolume,
  isMeantFor,
  mismatch,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  type Volume,
  waitsForConsumer,
} from "../../api/index.ts";
import type { EventType } from "../../client/index.ts";

export interface ClaimSnapshot {
  readonly claim: Claim;
  readonly volumes: readonly Volume[];
  readonly classes: readonly Class[];
  /** Name of a pod that uses the claim and has no node yet. */
  readonly waitingPod?: string | undefined;
}

export interface PlannedEvent {
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

export interface ClaimPlan {
  /** All sides of this binding are to be written, as far as they are not. */
  readonly bindTo?: Volume;
  readonly phase?: "Pending" | "Lost";
  /** The class that the cluster chooses for a claim that named none. */
  readonly storageClassName?: string;
  /** The provisioner to ask for a volume. */
  readonly provisioner?: string;
  readonly event?: PlannedEvent;
}

/** @see kubernetes `pkg/controller/volume/persistentvolume/pv_controller.go` syncClaim */
export function planClaim(snapshot: ClaimSnapshot): ClaimPlan {
  const { claim } = snapshot;
  return claim.metadata.annotations?.[BIND_COMPLETED] === undefined ? planUnbound(snapshot) : planBound(snapshot);
}

function planBound({ claim, volumes }: ClaimSnapshot): ClaimPlan {
  const { volumeName = "" } = claim.spec ?? {};
  if (volumeName === "") return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName);
  if (volume === undefined) return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const reference = volume.spec?.claimRef;
  if (reference === undefined || reference.uid === claim.metadata.uid) return { bindTo: volume };
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}

function lost(reason: string, message: string): ClaimPlan {
  return { phase: "Lost", event: { type: "Warning", reason, message } };
}

function planUnbound(snapshot: ClaimSnapshot): ClaimPlan {
  const { claim, volumes, classes } = snapshot;
  const { volumeName = "" } = claim.spec ?? {};
  if (volumeName !== "") return planNamed(snapshot, volumeName);
  const className = claimClass(claim);
  const chosen = className === undefined ? defaultClass(classes)?.metadata.name : undefined;
  if (chosen !== undefined) return { storageClassName: chosen };
  const storageClass = classes.find(({ metadata }) => metadata.name === className);
  const isWaiting = waitsForConsumer(storageClass);
  const volume = findVolume(claim, volumes, isWaiting);
  if (volume !== undefined) return { bindTo: volume };
  if (isWaiting && claim.metadata.annotations?.[SELECTED_NODE] === undefined) return waiting(snapshot);
  if (className === undefined || className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return { phase: "Pending", event: { type: "Normal", reason: "FailedBinding", message } };
  }
  return planProvision(claim, className, storageClass);
}

/** The claim names a volume. */
function planNamed({ claim, volumes }: ClaimSnapshot, volumeName: string): ClaimPlan {
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName);
  if (volume === undefined) return { phase: "Pending" };
  if (volume.spec?.claimRef === undefined) {
    const reason = mismatch(volume, claim);
    if (reason === undefined) return { bindTo: volume };
    const message = `Cannot bind to requested volume "${volumeName}": ${reason}`;
    return { phase: "Pending", event: { type: "Warning", reason: "VolumeMismatch", message } };
  }
  if (isMeantFor(volume, claim)) return { bindTo: volume };
  const message = `volume "${volumeName}" already bound to a different claim.`;
  return { phase: "Pending", event: { type: "Warning", reason: "FailedBinding", message } };
}

function waiting({ waitingPod }: ClaimSnapshot): ClaimPlan {
  const event =
    waitingPod === undefined
      ? { reason: "WaitForFirstConsumer", message: "waiting for first consumer to be created before binding" }
      : { reason: "WaitForPodScheduled", message: `waiting for pod ${waitingPod} to be scheduled` };
  return { phase: "Pending", event: { type: "Normal", ...event } };
}

function planProvision(claim: Claim, className: string, storageClass: Class | undefined): ClaimPlan {
  const failed = (message: string): ClaimPlan => ({
    phase: "Pending",
    event: { type: "Warning", reason: "ProvisioningFailed", message },
  });
  if (storageClass === undefined) return failed(`storageclass.storage.k8s.io "${className}" not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) return failed(`no volume plugin matched name: ${provisioner}`);
  const asked = claim.metadata.annotations;
  const isAsked = asked?.[STORAGE_PROVISIONER] === provisioner && asked?.[BETA_STORAGE_PROVISIONER] === provisioner;
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return {
    phase: "Pending",
    ...(isAsked ? {} : { provisioner }),
    event: { type: "Normal", reason: "ExternalProvisioning", message },
  };
}
