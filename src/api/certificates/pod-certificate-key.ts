// The public key of a PodCertificateRequest, and the proof that who asks has its private half.
import { constants, type KeyObject, verify } from "node:crypto";
import { certificateKeyProblem, type FieldError, field, type Pkcs10Request, readKey, readPkcs10 } from "../../machinery/index.ts";
import type { PodCertificateRequestSpec } from "../types/certificates/v1beta1.ts";

const MAX_BYTES = 10 * 1024;
const keyFields = ["stubPKCS10Request", "pkixPublicKey", "proofOfPossession"] as const;

/** The key that a valid request asks a certificate for. */
export function requestedKey({ stubPKCS10Request, pkixPublicKey = "" }: PodCertificateRequestSpec): KeyObject | undefined {
  return stubPKCS10Request ? readRequest(stubPKCS10Request)?.publicKey : readKey(Buffer.from(pkixPublicKey, "base64"));
}

export function validateRequestKey(spec: PodCertificateRequestSpec): FieldError[] {
  const tooLong = keyFields.find((name) => Buffer.byteLength(spec[name] ?? "", "base64") > MAX_BYTES);
  if (tooLong !== undefined) return [field.tooLong(`spec.${tooLong}`, MAX_BYTES)];
  const { stubPKCS10Request: stub, pkixPublicKey = "", proofOfPossession = "" } = spec;
  const hasStub = Boolean(stub);
  if (hasStub === (pkixPublicKey !== "") || hasStub === (proofOfPossession !== "")) {
    const detail = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set";
    return [{ ...field.invalid("spec", undefined, detail), omitsValue: true }];
  }
  return hasStub ? validateStub(stub) : validateBareKey(spec.podUID, pkixPublicKey, proofOfPossession);
}

function validateStub(stub: string): FieldError[] {
  const path = "spec.stubPKCS10Request";
  const request = readRequest(stub);
  if (request === undefined) return [field.invalid(path, stub, "must be a valid PKCS#10 CSR")];
  const errors = validateKeyType(path, stub, request.publicKey);
  if (errors.length > 0 || request.isProven) return errors;
  return [{ ...field.invalid(path, undefined, "could not verify PKCS#10 CSR signature"), omitsValue: true }];
}

function validateBareKey(podUid: string, key: string, proof: string): FieldError[] {
  const path = "spec.pkixPublicKey";
  const publicKey = readKey(Buffer.from(key, "base64"));
  if (publicKey === undefined) return [field.invalid(path, key, "must be a valid PKIX-serialized public key")];
  const errors = validateKeyType(path, key, publicKey);
  if (errors.length > 0 || isProof(publicKey, podUid, Buffer.from(proof, "base64"))) return errors;
  const detail = "could not verify proof-of-possession signature";
  return [{ ...field.invalid("spec.proofOfPossession", undefined, detail), omitsValue: true }];
}

/** The pod's uid is signed: RSA by PSS, elliptic curves by ECDSA, each over SHA-256, Ed25519 by itself. */
function isProof(key: KeyObject, podUid: string, proof: Buffer): boolean {
  const hash = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  const padding = key.asymmetricKeyType === "rsa" ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
  return verify(hash, Buffer.from(podUid), { key, ...padding }, proof);
}

function validateKeyType(path: string, value: string, key: KeyObject): FieldError[] {
  const problem = certificateKeyProblem(key);
  return problem === undefined ? [] : [field.invalid(path, problem.value ?? value, problem.detail)];
}

function readRequest(base64: string): Pkcs10Request | undefined {
  return readPkcs10(Buffer.from(base64, "base64"));
}
