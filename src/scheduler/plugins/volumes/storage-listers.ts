// What the volume plug-ins look up.
import { type Claim, type Class, claimClass, resources, type Volume } from "../../../api/index.ts";
import type { CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment } from "../../../api/types/storage/v1.ts";
import type { InformerSource } from "../../../client/index.ts";
import { type DeepReadonly, splitKey } from "../../../machinery/index.ts";

export interface StorageListers {
  /** By `namespace/name`. */
  claim(key: string): Claim | undefined;
  volume(name: string): Volume | undefined;
  volumes(): readonly Volume[];
  class(name: string): Class | undefined;
  classOf(claim: Claim): Class | undefined;
  csiNode(name: string): DeepReadonly<CSINode> | undefined;
  csiDriver(name: string): DeepReadonly<CSIDriver> | undefined;
  capacities(): readonly DeepReadonly<CSIStorageCapacity>[];
  attachmentsOn(nodeName: string): readonly DeepReadonly<VolumeAttachment>[];
}

export function storageListers(informers: InformerSource): StorageListers {
  const claims = informers.informer(resources.persistentvolumeclaims).lister;
  const volumes = informers.informer(resources.persistentvolumes).lister;
  const classes = informers.informer(resources.storageclasses).lister;
  const csiNodes = informers.informer(resources.csinodes).lister;
  const csiDrivers = informers.informer(resources.csidrivers).lister;
  const capacities = informers.informer(resources.csistoragecapacities).lister;
  const attachments = informers.informer(resources.volumeattachments);
  attachments.addIndex("nodeName", ({ spec }) => [spec.nodeName]);
  return {
    claim: (key) => {
      const { namespace, name } = splitKey(key);
      return claims.get(namespace, name);
    },
    volume: (name) => volumes.get("", name),
    volumes: () => volumes.list(),
    class: (name) => classes.get("", name),
    classOf: (claim) => classes.get("", claimClass(claim) ?? ""),
    csiNode: (name) => csiNodes.get("", name),
    csiDriver: (name) => csiDrivers.get("", name),
    capacities: () => capacities.list(),
    attachmentsOn: (nodeName) => attachments.lister.byIndex("nodeName", nodeName),
  };
}
