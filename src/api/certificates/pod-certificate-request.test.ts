import assert from "node:assert/strict";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, it } from "node:test";
import { encodePem, fieldErrorMessage, writePkcs10 } from "../../machinery/index.ts";
import { TestAuthority } from "../../machinery/x509/test-authority.fixture.ts";
import type { PodCertificateRequest, PodCertificateRequestSpec, PodCertificateRequestStatus } from "../types/certificates/v1beta1.ts";
import { podCertificateRequestStrategy as strategy } from "./pod-certificate-request.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const clock = { now: () => nowMs };
const authority = await TestAuthority.make();
const ed25519 = generateKeyPairSync("ed25519");

function requestOf(spec: Partial<PodCertificateRequestSpec> = {}): PodCertificateRequest {
  const request: PodCertificateRequest = {
    metadata: { name: "req-1", namespace: "default" },
    spec: {
      signerName: "example.com/s",
      podName: "pod",
      podUID: "pod-uid",
      serviceAccountName: "default",
      serviceAccountUID: "account-uid",
      nodeName: "node",
      nodeUID: "node-uid",
      stubPKCS10Request: writePkcs10(ed25519.privateKey).toString("base64"),
      ...spec,
    },
  };
  strategy.applyDefaults?.(request);
  return request;
}

const errorsOf = (spec: Partial<PodCertificateRequestSpec>) =>
  (strategy.validate?.(requestOf(spec)) ?? []).map((error) => fieldErrorMessage(error));

const spki = (key: KeyObject) => key.export({ format: "der", type: "spki" }).toString("base64");

describe("a PodCertificateRequest", () => {
  it("names a signer, a pod, its account, its node, and for how long it asks: a day if it does not say", () => {
    assert.deepEqual(errorsOf({}), []);
    assert.equal(requestOf().spec.maxExpirationSeconds, 86_400);
    assert.deepEqual(errorsOf({ podName: "", nodeUID: "", serviceAccountUID: "x".repeat(129) }), [
      "spec.podName: Required value",
      "spec.serviceAccountUID: Too long: may not be more than 128 bytes",
      'spec.nodeUID: Invalid value: "": must not be empty',
    ]);
  });

  it("asks for an hour to ninety-one days, of the project's signers for a day at most", () => {
    const lifeErrors = (maxExpirationSeconds: number, signerName = "example.com/s") => errorsOf({ maxExpirationSeconds, signerName });
    assert.deepEqual(lifeErrors(3_599), ["spec.maxExpirationSeconds: Invalid value: 3599: must be in the range [3600, 7862400]"]);
    assert.deepEqual(lifeErrors(7_862_400), []);
    assert.equal(lifeErrors(7_862_401).length, 1);
    assert.deepEqual(lifeErrors(86_401, "kubernetes.io/kube-apiserver-client-pod"), [
      "spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]",
    ]);
  });

  it("has annotations with domains only", () => {
    assert.deepEqual(errorsOf({ unverifiedUserAnnotations: { "example.com/a": "b" } }), []);
    assert.deepEqual(errorsOf({ unverifiedUserAnnotations: { plain: "b" } }), [
      'spec.unverifiedUserAnnotations: Invalid value: "plain": must be a domain-prefixed key (such as "acme.io/foo")',
    ]);
  });

  it("shows its key in a request that the key has signed", () => {
    assert.deepEqual(errorsOf({ stubPKCS10Request: "aGVsbG8=" }), [
      'spec.stubPKCS10Request: Invalid value: "aGVsbG8=": must be a valid PKCS#10 CSR',
    ]);
    const der = writePkcs10(ed25519.privateKey);
    der.writeUInt8(der.readUInt8(der.length - 40) ^ 1, der.length - 40);
    assert.deepEqual(errorsOf({ stubPKCS10Request: der.toString("base64") }), [
      "spec.stubPKCS10Request: Invalid value: could not verify PKCS#10 CSR signature",
    ]);
    const small = writePkcs10(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
    assert.deepEqual(errorsOf({ stubPKCS10Request: small.toString("base64") }), [
      'spec.stubPKCS10Request: Invalid value: "2048-bit modulus": RSA keys must have modulus size 3072 or 4096',
    ]);
  });

  it("may in v1beta1 show its key plainly, with the pod's uid signed", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 3072 });
    const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const uid = Buffer.from("pod-uid");
    const proofs: [KeyObject, Buffer][] = [
      [ed25519.publicKey, sign(null, uid, ed25519.privateKey)],
      [ecdsa.publicKey, sign("sha256", uid, ecdsa.privateKey)],
      [rsa.publicKey, sign("sha256", uid, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING })],
    ];
    for (const [key, proof] of proofs) {
      const shown = { stubPKCS10Request: "", pkixPublicKey: spki(key), proofOfPossession: proof.toString("base64") };
      assert.deepEqual(errorsOf(shown), []);
      assert.deepEqual(errorsOf({ ...shown, podUID: "another" }), [
        "spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature",
      ]);
    }
    const both = { pkixPublicKey: spki(ed25519.publicKey), proofOfPossession: "eA==" };
    const either = "spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set";
    assert.deepEqual(errorsOf(both), [either]);
    assert.deepEqual(errorsOf({ stubPKCS10Request: "" }), [either]);
  });

  it("never changes", () => {
    const errors = strategy.validateUpdate?.(requestOf({ podName: "other" }), requestOf()) ?? [];
    assert.deepEqual(
      errors.map(({ path, detail }) => `${path}: ${detail}`),
      ["spec: field is immutable"],
    );
  });
});

describe("the end of a PodCertificateRequest", () => {
  const condition = (type: string, status = "True") => ({
    type,
    status,
    reason: "Why",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  const at = (seconds: number) => new Date(nowMs + seconds * 1_000).toISOString().replace(".000", "");
  const issued = async (lifeSeconds = 3_600, { key = ed25519.publicKey, fromSeconds = 0 } = {}): Promise<PodCertificateRequestStatus> => ({
    conditions: [condition("Issued")],
    certificateChain: await authority.issue(key, { notBeforeMs: nowMs + fromSeconds * 1_000, lifeSeconds }),
    notBefore: at(fromSeconds),
    notAfter: at(fromSeconds + lifeSeconds),
    beginRefreshAt: at(fromSeconds + lifeSeconds / 2),
  });
  const statusErrors = (status: PodCertificateRequestStatus, old?: PodCertificateRequestStatus) => {
    const errors = strategy.validateStatusUpdate?.({ ...requestOf(), status }, { ...requestOf(), status: old }, { clock }) ?? [];
    return errors.map(({ path, detail }) => `${path}: ${detail}`);
  };

  it("is one of three, and stays", async () => {
    assert.deepEqual(statusErrors({ conditions: [condition("Denied")] }), []);
    assert.deepEqual(statusErrors({ conditions: [condition("Approved")] }), [
      'status.conditions[0].type: supported values: "Issued", "Denied", "Failed"',
    ]);
    assert.deepEqual(statusErrors({ conditions: [condition("Denied", "False")] }), [
      'status.conditions[0].status: supported values: "True"',
    ]);
    assert.deepEqual(statusErrors({ conditions: [condition("Denied"), condition("Failed")] }), [
      'status.conditions[1].type: There may be at most one condition with type "Issued", "Denied", or "Failed"',
    ]);
    assert.deepEqual(statusErrors(await issued(), { conditions: [condition("Denied")] }), [
      "status: immutable after PodCertificateRequest is issued, denied, or failed",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), conditions: [condition("Failed")] }), [
      "status: non-condition status fields must be empty when denying or failing the PodCertificateRequest",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), conditions: [] }), [
      'status: status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
    ]);
  });

  it("is a certificate for the key that was shown", async () => {
    assert.deepEqual(statusErrors(await issued()), []);
    const withChain = async (certificateChain: string) => statusErrors({ ...(await issued()), certificateChain });
    const chain = (detail: string) => [`status.certificateChain: ${detail}`];
    assert.deepEqual(await withChain(""), chain("issued certificate chain must contain at least one certificate"));
    assert.deepEqual(
      await withChain(encodePem("PRIVATE KEY", Buffer.from("x"))),
      chain("issued certificate chain must consist entirely of CERTIFICATE PEM blocks"),
    );
    assert.deepEqual(await withChain(encodePem("CERTIFICATE", Buffer.from("x"))), chain("leaf certificate does not parse as valid X.509"));
    const { certificateChain = "" } = await issued();
    assert.deepEqual(await withChain(certificateChain + authority.pem), []);
    assert.deepEqual(
      await withChain(certificateChain + encodePem("CERTIFICATE", Buffer.from("x"))),
      chain("intermediate certificate does not parse as valid X.509"),
    );
    const other = generateKeyPairSync("ed25519").publicKey;
    assert.deepEqual(
      statusErrors(await issued(3_600, { key: other })),
      chain("leaf certificate was not issued to the requested public key"),
    );
  });

  it("lives from now, an hour at least and no longer than asked, and says when to refresh it", async () => {
    const life = "status.certificateChain: leaf certificate lifetime must be";
    assert.deepEqual(statusErrors(await issued(3_599)), [`${life} >= 1 hour`]);
    assert.deepEqual(statusErrors(await issued(86_401)), [`${life} <= spec.maxExpirationSeconds (86400)`]);
    assert.deepEqual(statusErrors(await issued(3_600, { fromSeconds: -300 })), [
      "status.notBefore: must be set to within 5 minutes of kube-apiserver's current time",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), notAfter: at(1) }), [
      "status.notAfter: must be set to the NotAfter time encoded in the leaf certificate",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), beginRefreshAt: undefined }), [
      "status.beginRefreshAt: must be present and in the range [notbefore+10min, notafter-10min]",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), beginRefreshAt: at(599) }), [
      "status.beginRefreshAt: must be at least 10 minutes after status.notBefore",
    ]);
    assert.deepEqual(statusErrors({ ...(await issued()), beginRefreshAt: at(3_001) }), [
      "status.beginRefreshAt: must be at least 10 minutes before status.notAfter",
    ]);
  });
});
