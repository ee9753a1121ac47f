// No more CSI volumes on a node than its drivers can attach.
import type { Pod } from "../../../api/types/core/v1.ts";
import type { CSINode, VolumeAttachment } from "../../../api/types/storage/v1.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import { type PodInfo, podInfo } from "../../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import { type Plugin, type PreFilterResult, type Rejection, rejection } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { type StorageListers, storageListers } from "./storage-listers.ts";
import { claimRules } from "./volume-binding.ts";

const TOO_MANY = rejection("node(s) exceed max volume count");

/** Driver by handle: two pods with the same volume attach it once. */
type CsiVolumes = Map<string, string>;

export function nodeVolumeLimits({ informers }: PluginContext): Plugin {
  const listers = storageListers(informers);
  return {
    name: "NodeVolumeLimits",
    wakesOn: [
      ...claimRules(),
      ...wakesOn("NodeAdd", "CSINodeAdd"),
      wakesIf<CSINode>("CSINodeUpdate", () => true),
      wakesIf<VolumeAttachment>("VolumeAttachmentDelete", () => true),
      wakesIf<Pod>("AssignedPodDelete", (_, { old }) => old === undefined || podInfo(old).claims.length > 0),
    ],
    preFilter: (pod): PreFilterResult | undefined => {
      const wanted = volumesOf(pod, listers);
      return wanted.size === 0 ? undefined : { filter: { filter: (node) => exceeds(wanted, node, listers) } };
    },
  };
}

/** The CSI volumes of the pod's claims; of a claim without a volume the one that its class would make. */
function volumesOf({ claims }: PodInfo, listers: StorageListers): CsiVolumes {
  const volumes: CsiVolumes = new Map();
  for (const key of claims) {
    const claim = listers.claim(key);
    if (claim === undefined) continue;
    const csi = listers.volume(claim.spec?.volumeName ?? "")?.spec?.csi;
    const provisioner = listers.classOf(claim)?.provisioner;
    if (csi !== undefined) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    else if (!claim.spec?.volumeName && provisioner !== undefined) volumes.set(`${provisioner}/claim ${key}`, provisioner);
  }
  return volumes;
}

function exceeds(wanted: CsiVolumes, node: NodeInfo, listers: StorageListers): Rejection | undefined {
  const drivers = listers.csiNode(node.name)?.spec.drivers ?? [];
  const limits = new Map(drivers.map(({ name, allocatable }) => [name, allocatable?.count]));
  const attached = attachedVolumes(node, listers);
  const counts = new Map<string, number>();
  for (const driver of attached.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
  for (const [handle, driver] of wanted) {
    const limit = limits.get(driver);
    if (limit === undefined || attached.has(handle)) continue;
    const count = (counts.get(driver) ?? 0) + 1;
    if (count > limit) return TOO_MANY;
    counts.set(driver, count);
  }
  return undefined;
}

/** By the pods that are there, and what is attached without one. */
function attachedVolumes(node: NodeInfo, listers: StorageListers): CsiVolumes {
  const volumes: CsiVolumes = new Map();
  for (const pod of node.pods.values()) {
    if (pod.claims.length > 0) for (const [handle, driver] of volumesOf(pod, listers)) volumes.set(handle, driver);
  }
  for (const { spec } of listers.attachmentsOn(node.name)) {
    const csi = listers.volume(spec.source.persistentVolumeName ?? "")?.spec?.csi;
    if (csi !== undefined) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
  }
  return volumes;
}
