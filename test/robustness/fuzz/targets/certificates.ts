// Certificates that others have made: those that clients show, bundles of roots, and what signers answer.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { clusterTrustBundleStrategy } from "../../../../src/api/certificates/cluster-trust-bundle.ts";
import type { ClusterTrustBundle } from "../../../../src/api/types/certificates/v1beta1.ts";
import { ClientCertificates } from "../../../../src/apiserver/authn/client-certificate.ts";
import { pemBlocks } from "../../../../src/machinery/index.ts";
import { TestAuthority } from "../../../../src/machinery/x509/test-authority.fixture.ts";
import { type FuzzTarget, neverThrows } from "../target.ts";

const [plain, grouped] = await Promise.all([TestAuthority.make("CN=ann"), TestAuthority.make("CN=ann, O=one, O=two, OU=x, CN=ben")]);
const der = (pem: string) => pemBlocks(pem)[0]?.der ?? Buffer.alloc(0);
const certificates = new ClientCertificates({ proxyCa: plain.pem, proxyNames: ["proxy"] });
/** Object identifiers of CN, O and OU, and tags of texts. */
const words = ["\x06\x03\x55\x04\x03", "\x06\x03\x55\x04\x0a", "\x06\x03\x55\x04\x0b", "\x13\x01a", "\x0c\x01a", "\x1e\x02\0a", "\x0c\0"];

/** The certificate as the TLS socket of a client that shows it has it; undefined when no handshake would come so far. */
function peerCertificateOf(input: Buffer) {
  try {
    const certificate = new X509Certificate(input);
    // A handshake needs the key; node would crash on the object of a certificate without one.
    return certificate.publicKey && certificate.toLegacyObject();
  } catch {
    return undefined;
  }
}

export const certificateTargets: readonly FuzzTarget[] = [
  {
    name: "client-certificate",
    corpus: [der(plain.pem), der(grouped.pem)],
    words,
    run: (input) => {
      const certificate = peerCertificateOf(input);
      if (certificate === undefined) return;
      const peer = certificates.peerOf({}, { authorized: true, getPeerCertificate: () => certificate as never });
      if (peer.is !== "user") return;
      const { name, groups = [] } = peer.user;
      assert(typeof name === "string" && name !== "");
      assert(groups.every((group) => typeof group === "string") && groups.includes("system:authenticated"));
      assert.equal(certificates.peerOf({}, { authorized: false, getPeerCertificate: () => certificate as never }).is, "rejected");
    },
    isRefusal: neverThrows,
  },
  {
    name: "trust-bundle",
    corpus: [plain.pem, plain.pem + grouped.pem],
    words: ["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "MII", "=", "K: v\n\n"],
    run: (input) => {
      const trustBundle = input.toString("utf8");
      const bundle = { metadata: { name: "a" }, spec: { trustBundle } } as ClusterTrustBundle;
      const errors = clusterTrustBundleStrategy.validate?.(bundle, undefined) ?? [];
      if (errors.length > 0) return;
      for (const block of pemBlocks(trustBundle)) assert(new X509Certificate(block.der).ca);
    },
    isRefusal: neverThrows,
  },
];
