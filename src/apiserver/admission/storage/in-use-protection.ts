// StorageObjectInUseProtection: volumes, claims and attribute classes get a finalizer that keeps them while they are used.
import { type AdmissionPlugin, isCreation } from "../admission.ts";

/** By `group/plural`. */
const finalizers: Readonly<Record<string, string>> = {
  "/persistentvolumes": "kubernetes.io/pv-protection",
  "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
  "storage.k8s.io/volumeattributesclasses": "kubernetes.io/vac-protection",
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  resources: Object.keys(finalizers),
  mayMutate: isCreation,
  mutate({ operation, scope, object }) {
    const finalizer = finalizers[`${scope.resource.group}/${scope.resource.resource}`];
    if (operation !== "CREATE" || scope.subresource !== "" || object === undefined || finalizer === undefined) return;
    const present = object.metadata.finalizers ?? [];
    if (!present.includes(finalizer)) object.metadata.finalizers = [...present, finalizer];
  },
};
