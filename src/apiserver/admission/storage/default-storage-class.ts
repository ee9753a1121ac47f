// DefaultStorageClass: a claim that names no class gets the cluster's default one.
import type { PersistentVolumeClaim } from "../../../api/types/core/v1.ts";
import type { StorageClass } from "../../../api/types/storage/v1.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "../admission.ts";
import { type ClusterView, lookUpAll } from "../cluster-view.ts";
import { newestDefault } from "../default-class.ts";

const DEFAULT_KEYS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
/** Older clients name the class in an annotation. */
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

export class DefaultStorageClass implements AdmissionPlugin {
  readonly name = "DefaultStorageClass";
  readonly resources = ["/persistentvolumeclaims"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate({ operation, scope, object }: AdmissionRequest): void {
    if (operation !== "CREATE" || scope.subresource !== "" || object === undefined) return;
    const { spec = {}, metadata } = object as unknown as PersistentVolumeClaim;
    if (spec.storageClassName !== undefined || metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const found = newestDefault(lookUpAll<StorageClass>(this.#view, "storage.k8s.io/storageclasses"), DEFAULT_KEYS);
    if (found?.metadata.name === undefined) return;
    object["spec"] = { ...spec, storageClassName: found.metadata.name };
  }
}
