// NodeRestriction: a node agent changes what is about itself and the pods that are bound to it; nothing else.
import type { CertificateSigningRequest } from "../../../api/types/certificates/v1.ts";
import { forbidden } from "../../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { subjectOf } from "../certificates/request-subject.ts";
import type { ClusterView } from "../cluster-view.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import { checkClaim, checkCsiNode, checkLease, checkNode, checkResourceSlice } from "./node-checks.ts";
import { checkPodCertificateRequest } from "./pod-certificate-checks.ts";
import { checkPod, checkToken } from "./pod-checks.ts";

const NODE_USER_PREFIX = "system:node:";
const NODE_GROUP = "system:nodes";
const nodeSigners = new Set(["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"]);

type Refusal = string | undefined;
type Check = (request: AdmissionRequest, nodeName: string, view: ClusterView) => Refusal | Promise<Refusal>;

/** By `group/plural`. */
const checks: Readonly<Record<string, Check>> = {
  "/nodes": checkNode,
  "/pods": checkPod,
  "/persistentvolumeclaims": checkClaim,
  "/serviceaccounts": checkToken,
  "certificates.k8s.io/certificatesigningrequests": checkCertificateRequest,
  "certificates.k8s.io/podcertificaterequests": checkPodCertificateRequest,
  "coordination.k8s.io/leases": checkLease,
  "resource.k8s.io/resourceslices": checkResourceSlice,
  "storage.k8s.io/csinodes": checkCsiNode,
};

export class NodeRestriction implements AdmissionPlugin {
  readonly name = "NodeRestriction";
  readonly resources = Object.keys(checks);
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const { user, resource } = request.scope;
    if (!user.name.startsWith(NODE_USER_PREFIX) || !user.groups.includes(NODE_GROUP)) return undefined;
    const nodeName = user.name.slice(NODE_USER_PREFIX.length);
    const refusal = checks[`${resource.group}/${resource.resource}`]?.(request, nodeName, this.#view);
    if (refusal instanceof Promise) return refusal.then((why) => refuse(request, why));
    return refuse(request, refusal);
  }
}

function refuse(request: AdmissionRequest, why: Refusal): void {
  if (why !== undefined) throw forbidden(request.scope.resource, nameOfRequest(request), why);
}

/** A node asks for certificates in its own name. */
async function checkCertificateRequest({ operation, scope, object }: AdmissionRequest): Promise<Refusal> {
  if (operation !== "CREATE" || scope.subresource !== "" || object === undefined) return undefined;
  const { signerName, request } = (object as unknown as CertificateSigningRequest).spec;
  if (!nodeSigners.has(signerName)) return undefined;
  const subject = await subjectOf(request);
  return subject?.commonName === scope.user.name ? undefined : `can only create a node CSR with CN=${scope.user.name}`;
}
