// ClusterTrustBundleAttest: what certificates a signer is known by says only who may attest for it.
import type { ClusterTrustBundle } from "../../../api/types/certificates/v1beta1.ts";
import { type DeepReadonly, deepEqual, forbidden } from "../../../machinery/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import { mayUseSigner } from "./signer-permission.ts";

export class ClusterTrustBundleAttest implements AdmissionPlugin {
  readonly name = "ClusterTrustBundleAttest";
  readonly resources = ["certificates.k8s.io/clustertrustbundles"];
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { operation, scope } = request;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    // The signer of a bundle never changes, so that of the new one is the old one's.
    const [bundle, old] = [request.object, request.old] as unknown as DeepReadonly<ClusterTrustBundle | undefined>[];
    const { signerName = "" } = bundle?.spec ?? {};
    if (bundle === undefined || signerName === "" || (old !== undefined && changesNothing(bundle, old))) return;
    if (await mayUseSigner(this.#authorizer, scope.user, "attest", signerName)) return;
    throw forbidden(scope.resource, nameOfRequest(request), `user not permitted to attest for signerName "${signerName}"`);
  }
}

/** But what garbage collection and storage migration write. */
function changesNothing(now: DeepReadonly<ClusterTrustBundle>, before: DeepReadonly<ClusterTrustBundle>): boolean {
  const rest = ({ metadata, ...object }: DeepReadonly<ClusterTrustBundle>) => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, resourceVersion: _version, ...kept } = metadata;
    return { ...object, metadata: kept };
  };
  return deepEqual(rest(now), rest(before));
}
