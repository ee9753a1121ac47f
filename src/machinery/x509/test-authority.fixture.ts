// A certificate authority for tests, and certificates of all sorts from it.
import "reflect-metadata";
import { type KeyObject, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  type Extension,
  PublicKey,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { encodePem } from "./pem.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

cryptoProvider.set(webcrypto as never);

export interface LeafOptions {
  readonly notBeforeMs: number;
  readonly lifeSeconds: number;
  /** Subject alternative names. */
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
}

export class TestAuthority {
  /** Its own certificate, PEM. */
  readonly pem: string;
  readonly #certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.pem = encodePem("CERTIFICATE", new Uint8Array(certificate.rawData));
  }

  static async make(name = "CN=test", { isAuthority = true } = {}): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date("2020-01-01T00:00:00Z"),
      notAfter: new Date("2100-01-01T00:00:00Z"),
      extensions: [new BasicConstraintsExtension(isAuthority, undefined, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  /** A certificate for a public key, PEM. */
  async issue(key: KeyObject, { notBeforeMs, lifeSeconds, uris = [], dnsNames = [] }: LeafOptions): Promise<string> {
    const names = [
      ...uris.map((value) => ({ type: "url" as const, value })),
      ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ];
    const extensions: Extension[] = names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
    const certificate = await X509CertificateGenerator.create({
      issuer: this.#certificate.subject,
      publicKey: new PublicKey(key.export({ format: "der", type: "spki" })),
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notBeforeMs + lifeSeconds * 1_000),
      extensions,
    });
    return encodePem("CERTIFICATE", new Uint8Array(certificate.rawData));
  }
}
