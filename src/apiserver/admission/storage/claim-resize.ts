// PersistentVolumeClaimResize: only bound claims grow, and only when their storage class allows it.
import type { PersistentVolumeClaim } from "../../../api/types/core/v1.ts";
import type { StorageClass } from "../../../api/types/storage/v1.ts";
import { type DeepReadonly, forbidden, parseQuantity } from "../../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { type ClusterView, lookUp } from "../cluster-view.ts";

type Claim = DeepReadonly<PersistentVolumeClaim>;

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

export class ClaimResize implements AdmissionPlugin {
  readonly name = "PersistentVolumeClaimResize";
  readonly resources = ["/persistentvolumeclaims"];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate({ operation, scope, object, old }: AdmissionRequest): void | Promise<void> {
    if (operation !== "UPDATE" || scope.subresource !== "" || object === undefined || old === undefined) return undefined;
    const [now, before] = [object as unknown as Claim, old as unknown as Claim];
    if (sizeOf(now).compare(sizeOf(before)) <= 0) return undefined;
    return this.#checkGrowth(before, (why) => forbidden(scope.resource, scope.name, why));
  }

  async #checkGrowth(claim: Claim, refusal: (why: string) => Error): Promise<void> {
    if (claim.status?.phase !== "Bound") throw refusal("Only bound persistent volume claims can be expanded");
    const className = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? "";
    const storageClass = className === "" ? undefined : await lookUp<StorageClass>(this.#view, "storage.k8s.io/storageclasses", className);
    if (storageClass?.allowVolumeExpansion === true) return;
    throw refusal("only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
  }
}

function sizeOf({ spec }: Claim) {
  return parseQuantity(spec?.resources?.requests?.["storage"] ?? "0");
}
