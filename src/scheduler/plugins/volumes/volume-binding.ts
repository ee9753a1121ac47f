// Places pods where their volumes are or can be made, and has them bound before the pod is.
import type { Node, PersistentVolumeClaim } from "../../../api/types/core/v1.ts";
import type { CSIDriver, CSIStorageCapacity, StorageClass } from "../../../api/types/storage/v1.ts";
import { deepEqual, objectKey, quantityValue } from "../../../machinery/index.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { type WakeRule, wakesIf, wakesOn } from "../../framework/events.ts";
import type { Plugin } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { bindVolumes } from "./bind-volumes.ts";
import { claimsOfPod } from "./claims-of-pod.ts";
import { freeVolumes, planVolumes, type VolumePlan } from "./plan-volumes.ts";
import { storageListers } from "./storage-listers.ts";

export interface VolumeBindingArgs {
  readonly bindTimeoutSeconds?: number;
}

export function volumeBinding(context: PluginContext, { bindTimeoutSeconds = 600 }: VolumeBindingArgs = {}): Plugin {
  const listers = storageListers(context.informers);
  /** Plans under way, by uid of the pod. */
  const reserved = new Map<string, VolumePlan>();
  const planner = (pod: PodInfo): string | ((node: NodeInfo) => VolumePlan | readonly string[]) => {
    const claims = claimsOfPod(pod, listers);
    if (typeof claims === "string") return claims;
    const { waiting } = claims;
    const free = waiting.length === 0 ? [] : freeVolumes(waiting, listers.volumes(), takenVolumes(reserved));
    return ({ node }) => planVolumes(claims, node, { listers, free });
  };
  return {
    name: "VolumeBinding",
    wakesOn: volumeEvents(),
    preFilter: (pod) => {
      if (pod.claims.length === 0) return undefined;
      const planOn = planner(pod);
      if (typeof planOn === "string") return { reasons: [planOn], isUnresolvable: true };
      const filter = (node: NodeInfo) => {
        const plan = planOn(node);
        return "bindings" in plan ? undefined : { reasons: plan, isUnresolvable: true };
      };
      return { filter: { filter } };
    },
    reserve: (pod, node) => {
      if (pod.claims.length === 0) return undefined;
      const planOn = planner(pod);
      const plan = typeof planOn === "string" ? [planOn] : planOn(node);
      if (!("bindings" in plan)) return { reasons: plan, isUnresolvable: true };
      if (plan.bindings.length > 0 || plan.provisions.length > 0) reserved.set(pod.uid, plan);
      return undefined;
    },
    unreserve: ({ uid }) => reserved.delete(uid),
    preBind: ({ uid }, nodeName, signal) => {
      const plan = reserved.get(uid);
      return plan === undefined ? undefined : bindVolumes(context, { plan, nodeName, timeoutMs: bindTimeoutSeconds * 1000 }, signal);
    },
    postBind: ({ uid }) => reserved.delete(uid),
  };
}

function takenVolumes(reserved: ReadonlyMap<string, VolumePlan>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { bindings } of reserved.values()) for (const { volume } of bindings) names.add(volume.metadata.name ?? "");
  return names;
}

/** What may make a pod's volumes reachable: of claims only its own count. */
export function claimRules(): WakeRule[] {
  const isOwn = (pod: PodInfo, claim: PersistentVolumeClaim | undefined) => claim === undefined || pod.claims.includes(objectKey(claim));
  return (["PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate"] as const).map((event) =>
    wakesIf<PersistentVolumeClaim>(event, (pod, change) => isOwn(pod, change.new as PersistentVolumeClaim | undefined)),
  );
}

function volumeEvents(): WakeRule[] {
  return [
    ...claimRules(),
    ...wakesOn("StorageClassAdd", "PersistentVolumeAdd", "PersistentVolumeUpdate", "NodeAdd", "CSINodeAdd", "CSIStorageCapacityAdd"),
    wakesIf<StorageClass>("StorageClassUpdate", (_, change) => !deepEqual(change.old?.allowedTopologies, change.new?.allowedTopologies)),
    wakesIf<Node>("NodeUpdateLabel", () => true),
    wakesIf<CSIDriver>(
      "CSIDriverUpdate",
      (_, change) => change.old?.spec.storageCapacity === true && change.new?.spec.storageCapacity !== true,
    ),
    wakesIf<CSIStorageCapacity>("CSIStorageCapacityUpdate", (_, change) => limitOf(change.new) > limitOf(change.old)),
  ];
}

function limitOf(
  capacity: { readonly maximumVolumeSize?: string | undefined; readonly capacity?: string | undefined } | undefined,
): number {
  return quantityValue(capacity?.maximumVolumeSize ?? capacity?.capacity ?? "0");
}
