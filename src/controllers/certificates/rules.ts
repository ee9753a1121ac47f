// What the built-in signers sign, and what is approved without a person. Pure.
// @see https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
import type { CertificateRequest } from "./signer.ts";

export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
export const KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
export const KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving";
export const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";

const NODES = "system:nodes";
const NODE_PREFIX = "system:node:";
const CLIENT = { needed: ["client auth"], allowed: ["digital signature", "key encipherment", "client auth"] };
const KUBELET_CLIENT = { needed: ["digital signature", "client auth"], allowed: CLIENT.allowed };
const SERVING = { needed: ["digital signature", "server auth"], allowed: ["digital signature", "key encipherment", "server auth"] };

type Problem = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** By signer: why it does not sign a request. */
const problems: ReadonlyMap<string, Problem> = new Map<string, Problem>([
  [CLIENT_SIGNER, (_, usages) => usageProblem(usages, CLIENT)],
  [
    KUBELET_CLIENT_SIGNER,
    (request, usages) => kubeletProblem(request) ?? subjectNamesProblem(request) ?? usageProblem(usages, KUBELET_CLIENT),
  ],
  [KUBELET_SERVING_SIGNER, (request, usages) => kubeletProblem(request) ?? servingProblem(request) ?? usageProblem(usages, SERVING)],
  [LEGACY_SIGNER, () => undefined],
]);

export function isBuiltInSigner(signerName: string): boolean {
  return problems.has(signerName);
}

/** Why the signer does not sign the request; undefined when it does. */
export function signingProblem(signerName: string, request: CertificateRequest, usages: readonly string[]): string | undefined {
  const problem = problems.get(signerName);
  return problem === undefined ? `unrecognized signer: ${signerName}` : problem(request, usages);
}

function usageProblem(usages: readonly string[], { needed, allowed }: typeof CLIENT): string | undefined {
  const isRight = needed.every((usage) => usages.includes(usage)) && usages.every((usage) => allowed.includes(usage));
  return isRight ? undefined : "usages did not match expected";
}

function kubeletProblem({ organizations, commonName }: CertificateRequest): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== NODES) return `subject organization is not ${NODES}`;
  return commonName.startsWith(NODE_PREFIX) && commonName !== NODE_PREFIX
    ? undefined
    : `subject common name does not begin with ${NODE_PREFIX}`;
}

function subjectNamesProblem({ dnsNames, ipAddresses, emailAddresses, uris }: CertificateRequest): string | undefined {
  if (dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  return uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined;
}

function servingProblem({ dnsNames, ipAddresses, emailAddresses, uris }: CertificateRequest): string | undefined {
  if (dnsNames.length === 0 && ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  return uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined;
}

export interface Approval {
  /** The subresource of certificatesigningrequests that the requester must be allowed to create. */
  readonly permission: "selfnodeclient" | "nodeclient";
  readonly message: string;
}

/** The ways in which a kubelet's client certificate is approved, in the order of trying: its own first. */
export function approvalsFor(
  { signerName, usages, username }: { readonly signerName: string; readonly usages: readonly string[]; readonly username: string },
  request: CertificateRequest,
): readonly Approval[] {
  if (signerName !== KUBELET_CLIENT_SIGNER || signingProblem(signerName, request, usages) !== undefined) return [];
  const own: Approval = {
    permission: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
  };
  const other: Approval = { permission: "nodeclient", message: "Auto approving kubelet client certificate after SubjectAccessReview." };
  return username === request.commonName ? [own, other] : [other];
}
