// Volumes that are directories on a node: what is made for a claim, and when it goes. Pure.

import {
  BETA_STORAGE_PROVISIONER,
  type Claim,
  type Class,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  type Volume,
} from "../../api/index.ts";
import type { Node, PersistentVolume } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export const LOCAL_PATH_PROVISIONER = "k8ts.dev/local-path";
/** On a node: the directory below which it keeps such volumes. */
export const LOCAL_PATH_ROOT = "k8ts.dev/local-path-root";
const HOSTNAME = "kubernetes.io/hostname";

export type ProvisionPlan =
  | { readonly type: "create"; readonly volume: PersistentVolume }
  | { readonly type: "fail"; readonly message: string };

/** Whether the claim waits for a volume of this provisioner. */
export function isOurs({ metadata, spec }: Claim): boolean {
  const asked = metadata.annotations?.[STORAGE_PROVISIONER] ?? metadata.annotations?.[BETA_STORAGE_PROVISIONER];
  return asked === LOCAL_PATH_PROVISIONER && !spec?.volumeName && metadata.deletionTimestamp === undefined;
}

/** The name that a claim's volume has, whoever provisions it. */
export function volumeNameOf({ metadata }: Claim): string {
  return `pvc-${metadata.uid}`;
}

export function planProvision(claim: Claim, storageClass: Class, node: DeepReadonly<Node> | undefined): ProvisionPlan {
  const { spec } = claim;
  const nodeName = claim.metadata.annotations?.[SELECTED_NODE];
  if (nodeName === undefined) return { type: "fail", message: "configuration error, no node was specified" };
  if (spec?.selector !== undefined) return { type: "fail", message: "claim.Spec.Selector is not supported" };
  if (spec?.volumeMode === "Block") return { type: "fail", message: "volume mode Block is not supported" };
  const shared = (spec?.accessModes ?? []).filter((mode) => mode !== "ReadWriteOnce" && mode !== "ReadWriteOncePod");
  if (shared.length > 0) return { type: "fail", message: `access mode ${shared[0]} is not supported` };
  const root = node?.metadata.annotations?.[LOCAL_PATH_ROOT];
  if (root === undefined) return { type: "fail", message: `node ${nodeName} has no place for local volumes` };
  return { type: "create", volume: volumeOf(claim, storageClass, { root, hostname: node?.metadata.labels?.[HOSTNAME] ?? nodeName }) };
}

function volumeOf(claim: Claim, storageClass: Class, at: { readonly root: string; readonly hostname: string }): PersistentVolume {
  const name = volumeNameOf(claim);
  const { name: claimName, namespace, uid, resourceVersion } = claim.metadata;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [PROVISIONED_BY]: LOCAL_PATH_PROVISIONER } },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? [])],
      capacity: { storage: claim.spec?.resources?.requests?.["storage"] ?? "0" },
      claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name: claimName, uid, resourceVersion },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name,
      volumeMode: "Filesystem",
      hostPath: { path: `${at.root}/${name}`, type: "DirectoryOrCreate" },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: "In", values: [at.hostname] }] }] },
      },
      ...(storageClass.mountOptions === undefined ? {} : { mountOptions: [...storageClass.mountOptions] }),
    },
  };
}

/** Whether the volume is to be deleted; its node then removes the directory. */
export function isToDelete({ metadata, spec, status }: Volume): boolean {
  return (
    metadata.annotations?.[PROVISIONED_BY] === LOCAL_PATH_PROVISIONER &&
    metadata.deletionTimestamp === undefined &&
    spec?.persistentVolumeReclaimPolicy === "Delete" &&
    status?.phase === "Released"
  );
}
