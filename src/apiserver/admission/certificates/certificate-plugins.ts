// The plug-ins that guard certificate signing requests: whose they are, who may approve and sign them, and what no one may
// ask for.
import type { CertificateSigningRequest } from "../../../api/types/certificates/v1.ts";
import { type DeepReadonly, deepEqual, forbidden } from "../../../machinery/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "../admission.ts";
import { subjectOf } from "./request-subject.ts";
import { mayUseSigner } from "./signer-permission.ts";

const REQUESTS = ["certificates.k8s.io/certificatesigningrequests"];
const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

type Request = DeepReadonly<CertificateSigningRequest>;

/** Writes into a new request who made it; approvers rely on it. */
export const certificateRequester: AdmissionPlugin = {
  name: "CertificateRequester",
  resources: REQUESTS,
  mayMutate: isCreation,
  mutate({ operation, scope, object }) {
    if (operation !== "CREATE" || scope.subresource !== "" || object === undefined) return;
    const { user } = scope;
    const { username: _username, uid: _uid, groups: _groups, extra: _extra, ...spec } = (object["spec"] ?? {}) as Record<string, unknown>;
    object["spec"] = {
      ...spec,
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: [...user.groups] }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    };
  },
};

/** CertificateApproval: approving needs the permission for the request's signer. */
export class CertificateApproval implements AdmissionPlugin {
  readonly name = "CertificateApproval";
  readonly resources = REQUESTS;
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  async validate({ operation, scope, old }: AdmissionRequest): Promise<void> {
    if (operation !== "UPDATE" || scope.subresource !== "approval" || old === undefined) return;
    const { signerName } = (old as Request).spec;
    if (await mayUseSigner(this.#authorizer, scope.user, "approve", signerName)) return;
    throw forbidden(scope.resource, scope.name, `user not permitted to approve requests with signerName "${signerName}"`);
  }
}

/** CertificateSigning: a certificate, or that there will be none, comes only from those who may sign for the signer. */
export class CertificateSigning implements AdmissionPlugin {
  readonly name = "CertificateSigning";
  readonly resources = REQUESTS;
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  async validate({ operation, scope, object, old }: AdmissionRequest): Promise<void> {
    if (operation !== "UPDATE" || scope.subresource !== "status" || object === undefined || old === undefined) return;
    const [now, before] = [object as unknown as Request, old as Request];
    const isSame = now.status?.certificate === before.status?.certificate && deepEqual(now.status?.conditions, before.status?.conditions);
    const { signerName } = before.spec;
    if (isSame || (await mayUseSigner(this.#authorizer, scope.user, "sign", signerName))) return;
    throw forbidden(scope.resource, scope.name, `user not permitted to sign requests with signerName "${signerName}"`);
  }
}

/** CertificateSubjectRestriction: no certificate makes its bearer a member of system:masters. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  resources: REQUESTS,
  async validate({ operation, scope, object }) {
    if (operation !== "CREATE" || scope.subresource !== "" || object === undefined) return;
    const { signerName, request } = (object as unknown as Request).spec;
    if (signerName !== CLIENT_SIGNER) return;
    const subject = await subjectOf(request);
    if (subject?.organizations.includes(MASTERS) !== true) return;
    const why = `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`;
    throw forbidden(scope.resource, object.metadata.name ?? "", why);
  },
};
