// Volumes that only one pod may use at a time.
import type { Pod, Volume } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import { podInfo } from "../../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import { type Plugin, type PreFilterResult, rejection } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { storageListers } from "./storage-listers.ts";
import { claimRules } from "./volume-binding.ts";

const IN_USE = rejection("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
const NO_DISK = rejection("node(s) had no available disk");

type AVolume = DeepReadonly<Volume>;

export function volumeRestrictions({ cluster, informers }: PluginContext): Plugin {
  const listers = storageListers(informers);
  const isExclusive = (key: string) => listers.claim(key)?.spec?.accessModes?.includes("ReadWriteOncePod") === true;
  return {
    name: "VolumeRestrictions",
    wakesOn: [
      ...wakesOn("NodeAdd"),
      ...claimRules(),
      wakesIf<Pod>("AssignedPodDelete", (pod, { old }) => old === undefined || shares(pod, podInfo(old))),
    ],
    preFilter: (pod): PreFilterResult | undefined => {
      const exclusive = pod.claims.filter(isExclusive);
      const disks = (pod.pod.spec?.volumes ?? []).filter(isDisk);
      if (exclusive.length === 0 && disks.length === 0) return undefined;
      return { filter: { filter: (node) => (isUsed(exclusive, cluster) ? IN_USE : clashOn(disks, node.pods.values())) } };
    },
  };
}

function isUsed(claims: readonly string[], cluster: ClusterState): boolean {
  return claims.some((key) => cluster.claimUsers(key) > 0);
}

function shares(pod: { readonly claims: readonly string[]; readonly pod: DeepReadonly<Pod> }, gone: typeof pod): boolean {
  const hasDisks = (gone.pod.spec?.volumes ?? []).some(isDisk);
  return hasDisks || pod.claims.some((key) => gone.claims.includes(key));
}

function isDisk({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: AVolume): boolean {
  return gcePersistentDisk !== undefined || awsElasticBlockStore !== undefined || iscsi !== undefined || rbd !== undefined;
}

function clashOn(disks: readonly AVolume[], pods: Iterable<{ readonly pod: DeepReadonly<Pod> }>) {
  for (const { pod } of pods) {
    const others = pod.spec?.volumes ?? [];
    if (disks.some((disk) => others.some((other) => clash(disk, other)))) return NO_DISK;
  }
  return undefined;
}

/** The same disk twice on a node; all but EBS may be shared as long as nobody writes. */
function clash(a: AVolume, b: AVolume): boolean {
  const bothRead = (some: { readonly readOnly?: boolean | undefined }, other: typeof some) =>
    some.readOnly === true && other.readOnly === true;
  if (a.gcePersistentDisk && b.gcePersistentDisk)
    return a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName && !bothRead(a.gcePersistentDisk, b.gcePersistentDisk);
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !bothRead(a.iscsi, b.iscsi);
  if (!a.rbd || !b.rbd || bothRead(a.rbd, b.rbd)) return false;
  const { monitors } = b.rbd;
  return a.rbd.monitors.some((monitor) => monitors.includes(monitor)) && a.rbd.pool === b.rbd.pool && a.rbd.image === b.rbd.image;
}
