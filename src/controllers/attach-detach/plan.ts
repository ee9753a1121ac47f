// Which volumes of CSI drivers are to be attached to a node, and which can be taken off it. Pure.
import { createHash } from "node:crypto";
import { isPodTerminal, podClaims } from "../../api/index.ts";
import type { AttachedVolume, Node, PersistentVolume, Pod } from "../../api/types/core/v1.ts";
import type { VolumeAttachment } from "../../api/types/storage/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Attachment = DeepReadonly<VolumeAttachment>;
export type Volume = DeepReadonly<PersistentVolume>;

/** How long a volume that a silent node may still use is left to it. */
export const FORCE_DETACH_MS = 360_000;
/** Attachments of another form are other people's. */
const OWN_NAME = /^csi-[0-9a-f]{64}$/;
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export interface NodeSnapshot {
  readonly nodeName: string;
  /** Undefined when it is gone. */
  readonly node: DeepReadonly<Node> | undefined;
  /** Volumes that pods on the node use and that have to be attached. */
  readonly wanted: readonly Volume[];
  /** Of this node. */
  readonly attachments: readonly Attachment[];
  /** Of the volume, to other nodes. */
  attachedElsewhere(volumeName: string): boolean;
  readonly nowMs: number;
}

export interface AttachPlan {
  readonly create: readonly VolumeAttachment[];
  /** Names. */
  readonly delete: readonly string[];
  /** Volumes that another node has for itself. */
  readonly blocked: readonly string[];
  /** What `status.volumesAttached` of the node is to be. */
  readonly volumesAttached: readonly AttachedVolume[];
  /** When a volume can be taken from a node that is silent. */
  readonly lookAgainMs?: number | undefined;
}

/** As upstream's CSI plug-in names them. */
export function attachmentName(volume: Volume, nodeName: string): string {
  const { driver = "", volumeHandle = "" } = volume.spec?.csi ?? {};
  return `csi-${createHash("sha256").update(`${volumeHandle}${driver}${nodeName}`).digest("hex")}`;
}

/** The name by which nodes and controllers speak of a volume. */
export function uniqueVolumeName({ spec }: Volume): string {
  return `kubernetes.io/csi/${spec?.csi?.driver}^${spec?.csi?.volumeHandle}`;
}

/** The claims of a pod that uses its volumes now, or soon. */
export function claimsOf(pod: DeepReadonly<Pod>): readonly string[] {
  if (!pod.spec?.nodeName || isPodTerminal(pod)) return [];
  return podClaims(pod).map(({ name }) => name);
}

/** @see kubernetes `pkg/controller/volume/attachdetach/reconciler` */
export function planNode(snapshot: NodeSnapshot, volumeOf: (name: string) => Volume | undefined): AttachPlan {
  const { nodeName, node, wanted, attachments, attachedElsewhere } = snapshot;
  const wantedByName = new Map(node === undefined ? [] : wanted.map((volume) => [attachmentName(volume, nodeName), volume]));
  const known = new Set(attachments.map(({ metadata }) => metadata.name));
  const create: VolumeAttachment[] = [];
  const blocked: string[] = [];
  for (const [name, volume] of wantedByName) {
    const volumeName = volume.metadata.name ?? "";
    if (known.has(name)) continue;
    if (isExclusive(volume) && attachedElsewhere(volumeName)) blocked.push(volumeName);
    else create.push(attachmentOf(name, volume, nodeName));
  }
  const unwanted = attachments.filter(({ metadata: { name = "", deletionTimestamp } }) => {
    return OWN_NAME.test(name) && !wantedByName.has(name) && deletionTimestamp === undefined;
  });
  const waits = unwanted.map((attachment) => ({ attachment, waitMs: detachWaitMs(snapshot, attachment, volumeOf) }));
  const lookAgain = waits.map(({ waitMs }) => waitMs).filter((waitMs) => waitMs > 0 && Number.isFinite(waitMs));
  return {
    create,
    delete: waits.filter(({ waitMs }) => waitMs <= 0).map(({ attachment }) => attachment.metadata.name ?? ""),
    blocked,
    volumesAttached: attachedVolumes(attachments, volumeOf),
    lookAgainMs: lookAgain.length === 0 ? undefined : Math.min(...lookAgain),
  };
}

function isExclusive({ spec }: Volume): boolean {
  return (spec?.accessModes ?? []).every((mode) => mode === "ReadWriteOnce" || mode === "ReadWriteOncePod");
}

function attachmentOf(name: string, volume: Volume, nodeName: string): VolumeAttachment {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name },
    spec: { attacher: volume.spec?.csi?.driver ?? "", nodeName, source: { persistentVolumeName: volume.metadata.name } },
    status: { attached: false },
  };
}

/** 0 for at once. A node that still has the volume mounted keeps it, unless it is silent for long, out of service or gone. */
function detachWaitMs({ node, nowMs }: NodeSnapshot, attachment: Attachment, volumeOf: (name: string) => Volume | undefined): number {
  if (node === undefined || node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true) return 0;
  const volume = volumeOf(attachment.spec.source.persistentVolumeName ?? "");
  if (volume === undefined || node.status?.volumesInUse?.includes(uniqueVolumeName(volume)) !== true) return 0;
  const ready = node.status.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return Number.POSITIVE_INFINITY;
  return Date.parse(ready?.lastTransitionTime ?? "") + FORCE_DETACH_MS - nowMs;
}

function attachedVolumes(attachments: readonly Attachment[], volumeOf: (name: string) => Volume | undefined): AttachedVolume[] {
  const attached = attachments.filter(({ status, metadata }) => status?.attached === true && metadata.deletionTimestamp === undefined);
  const volumes = attached.flatMap(({ spec }) => volumeOf(spec.source.persistentVolumeName ?? "") ?? []);
  return volumes.map((volume) => ({ name: uniqueVolumeName(volume), devicePath: "" })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
