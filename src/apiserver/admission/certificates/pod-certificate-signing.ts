// How a PodCertificateRequest ends is said only by those who may sign for its signer. Upstream asks this when it validates the
// status, so the answer is a validation error.
import type { PodCertificateRequest } from "../../../api/types/certificates/v1beta1.ts";
import { type DeepReadonly, deepEqual, field, invalid } from "../../../machinery/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { mayUseSigner } from "./signer-permission.ts";

export class PodCertificateSigning implements AdmissionPlugin {
  readonly name = "PodCertificateSigning";
  readonly resources = ["certificates.k8s.io/podcertificaterequests"];
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  async validate({ operation, scope, object, old }: AdmissionRequest): Promise<void> {
    if (operation !== "UPDATE" || scope.subresource !== "status" || object === undefined || old === undefined) return;
    const { spec, status } = old as DeepReadonly<PodCertificateRequest>;
    if (deepEqual(object["status"] ?? {}, status ?? {})) return;
    if (await mayUseSigner(this.#authorizer, scope.user, "sign", spec.signerName)) return;
    const detail = `User ${JSON.stringify(scope.user.name)} is not permitted to "sign" for signer ${JSON.stringify(spec.signerName)}`;
    throw invalid(scope.resource, scope.name, [field.forbidden("spec.signerName", detail)]);
  }
}
