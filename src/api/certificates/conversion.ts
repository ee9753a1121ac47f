// certificates/v1 ↔ v1beta1 of the PodCertificateRequest, which is kept as v1beta1: v1 has lost the first way to show a key.
import type { PodCertificateRequest } from "../types/certificates/v1.ts";
import type { PodCertificateRequest as BetaRequest } from "../types/certificates/v1beta1.ts";

/** v1 → v1beta1. */
export function podCertificateRequestToBeta(object: PodCertificateRequest): BetaRequest {
  return { ...object, apiVersion: "certificates.k8s.io/v1beta1" };
}

/** v1beta1 → v1. */
export function podCertificateRequestToV1(object: BetaRequest): PodCertificateRequest {
  const { pkixPublicKey: _key, proofOfPossession: _proof, ...spec } = object.spec;
  return { ...object, apiVersion: "certificates.k8s.io/v1", spec };
}
