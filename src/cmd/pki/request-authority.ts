// The cluster's authority as the controllers of certificate requests use it.
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Clock } from "../../base/index.ts";
import type { CertificateAuthority } from "../../controllers/index.ts";
import type { PemPair } from "./issue.ts";

/** The library that reads and signs requests is loaded with the first of them. */
export function requestAuthority(authority: PemPair, clock: Clock): CertificateAuthority {
  // A key that does not fit is told at start, not at the first request.
  const isPair = new X509Certificate(authority.certificate).checkPrivateKey(createPrivateKey(authority.privateKey));
  if (!isPair) throw new Error("the certificate authority's key is not that of its certificate");
  const requests = () => import("./sign-request.ts");
  return {
    read: async (request) => (await requests()).readRequest(request),
    sign: async (request, options) => (await requests()).signRequest(request, options, { authority, clock }),
    expiresAtMs: (certificate) => Date.parse(new X509Certificate(certificate).validTo),
  };
}
