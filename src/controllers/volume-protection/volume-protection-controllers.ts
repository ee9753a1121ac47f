// Keeps claims that pods use, volumes that are bound, and volume attributes classes that something names.
import { resources } from "../../api/index.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, objectKey } from "../../machinery/index.ts";
import type { Controller, ControllerContext } from "../controller.ts";
import { claimsInUse } from "./plan.ts";
import { protectionController } from "./protection.ts";

const BY_CLAIM = "pvc-protection/claim";
const BY_CLASS = "vac-protection/class";

/** @see kubernetes `pkg/controller/volume/pvcprotection` */
export function claimProtectionController(context: ControllerContext): Controller {
  const pods = context.informers.informer(resources.pods);
  const claimKeys = (pod: DeepReadonly<Pod>) => claimsInUse(pod).map((name) => `${pod.metadata.namespace}/${name}`);
  pods.addIndex(BY_CLAIM, claimKeys);
  return protectionController(context, {
    name: "persistentvolumeclaim-protection-controller",
    resource: resources.persistentvolumeclaims,
    finalizer: "kubernetes.io/pvc-protection",
    isInUse: (claim) => pods.lister.byIndex(BY_CLAIM, objectKey(claim)).length > 0,
    isReallyInUse: async (claim, signal) => {
      const { items } = await context.client.list(resources.pods, { namespace: claim.metadata.namespace, signal });
      return items.some((pod) => claimKeys(pod).includes(objectKey(claim)));
    },
    follow: (changed) => {
      const all = (pod: DeepReadonly<Pod>) => claimKeys(pod).forEach(changed);
      pods.onChange({ updated: all, deleted: all });
    },
  });
}

/** @see kubernetes `pkg/controller/volume/pvprotection` */
export function volumeProtectionController(context: ControllerContext): Controller {
  return protectionController(context, {
    name: "persistentvolume-protection-controller",
    resource: resources.persistentvolumes,
    finalizer: "kubernetes.io/pv-protection",
    isInUse: ({ status }) => status?.phase === "Bound",
    follow: () => {},
  });
}

/** @see kubernetes `pkg/controller/volume/vacprotection` */
export function attributesClassProtectionController(context: ControllerContext): Controller {
  const { informers } = context;
  const claims = informers.informer(resources.persistentvolumeclaims);
  const volumes = informers.informer(resources.persistentvolumes);
  claims.addIndex(BY_CLASS, classesOfClaim);
  volumes.addIndex(BY_CLASS, classesOfVolume);
  return protectionController(context, {
    name: "volumeattributesclass-protection-controller",
    resource: resources.volumeattributesclasses,
    finalizer: "kubernetes.io/vac-protection",
    isInUse: ({ metadata: { name = "" } }) =>
      claims.lister.byIndex(BY_CLASS, name).length > 0 || volumes.lister.byIndex(BY_CLASS, name).length > 0,
    follow: (changed) => {
      claims.onChange({
        updated: (old) => classesOfClaim(old).forEach(changed),
        deleted: (claim) => classesOfClaim(claim).forEach(changed),
      });
      volumes.onChange({
        updated: (old) => classesOfVolume(old).forEach(changed),
        deleted: (volume) => classesOfVolume(volume).forEach(changed),
      });
    },
  });
}

function classesOfClaim({ spec, status }: DeepReadonly<PersistentVolumeClaim>): readonly string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))];
}

function classesOfVolume({ spec }: DeepReadonly<PersistentVolume>): readonly string[] {
  return spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [];
}
