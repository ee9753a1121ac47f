// Pods that use more local storage than they may: an emptyDir's size limit, a container's, the pod's. Pure.
import { quantityValue } from "../../machinery/index.ts";
import type { PodObject } from "../pod/pod-object.ts";
import type { EndCause } from "../pod/pod-view.ts";
import { evicted, formatBytes, type PodUse } from "./rank.ts";

const STORAGE = "ephemeral-storage";

/** Whether anything limits the pod's local storage, so that it must be measured. */
export function hasStorageLimit({ spec }: PodObject): boolean {
  const isLimited = (spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== "Memory");
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return isLimited || containers.some(({ resources }) => resources?.limits?.[STORAGE] !== undefined);
}

/** Why the pod must go; undefined when it keeps to its limits. */
export function storageExcess({ spec }: PodObject, use: PodUse): EndCause | undefined {
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined) continue;
    if ((use.emptyDirBytes.get(name) ?? 0) > quantityValue(emptyDir.sizeLimit)) {
      return evicted(`Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `);
    }
  }
  const containers = spec?.containers ?? [];
  const limits = containers.map(({ resources }) => resources?.limits?.[STORAGE]);
  const total = limits.reduce((sum, limit) => sum + (limit === undefined ? 0 : quantityValue(limit)), 0);
  if (total > 0 && use.diskBytes > total && limits.every((limit) => limit !== undefined)) {
    return evicted(`Pod ephemeral local storage usage exceeds the total limit of containers ${formatBytes(total)}. `);
  }
  for (const { name, resources } of containers) {
    const limit = resources?.limits?.[STORAGE];
    const used = use.containers.find((container) => container.name === name)?.diskBytes ?? 0;
    if (limit !== undefined && used > quantityValue(limit)) {
      return evicted(`Container ${name} exceeded its local ephemeral storage limit "${limit}". `);
    }
  }
  return undefined;
}
