// The kinds of keys that pods' certificates are issued to, by the names that the API has for them.
import type { KeyObject } from "node:crypto";

export const certificateKeyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"] as const;

export type CertificateKeyType = (typeof certificateKeyTypes)[number];

const RSA_BITS = [3072, 4096];
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** What is wrong with a public key that a pod's certificate would be for. */
export interface KeyProblem {
  /** What was seen of the key; undefined stands for the key itself. */
  readonly value?: string;
  readonly detail: string;
}

/** Undefined when certificates are issued to such keys. */
export function certificateKeyProblem(key: KeyObject): KeyProblem | undefined {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return undefined;
    case "ec":
      if (CURVES.includes(namedCurve)) return undefined;
      return { value: `curve ${namedCurve}`, detail: "elliptic public keys must use curve P256 or P384" };
    case "rsa":
      if (RSA_BITS.includes(modulusLength)) return undefined;
      return { value: `${modulusLength}-bit modulus`, detail: "RSA keys must have modulus size 3072 or 4096" };
    default:
      return { detail: "unknown public key type; supported types are Ed25519, ECDSA, and RSA" };
  }
}
