// Issues X.509 certificates on P-256 keys. Loaded only when one is really needed: reading those on disk does without it.
import "./reflect.ts";
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Clock } from "../../base/index.ts";

export const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Backdated, so that a machine whose clock is a little behind accepts a new certificate. */
const BACKDATE_MS = HOUR_MS;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;

cryptoProvider.set(webcrypto as never);

export interface PemPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface LeafRequest {
  readonly commonName: string;
  readonly organization?: string;
  readonly usages: readonly ("client" | "server")[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

/** A self-signed authority, valid for ten years. */
export async function issueAuthority(commonName: string, clock: Clock): Promise<PemPair> {
  const keys = await newKeys();
  const subjectKey = await SubjectKeyIdentifierExtension.create(keys.publicKey);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    serialNumber: newSerial(),
    signingAlgorithm: ECDSA,
    ...validity(clock, CA_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign, true),
      subjectKey,
    ],
  });
  return { certificate: pem(certificate), privateKey: await exportKey(keys.privateKey) };
}

/** A certificate signed by `authority`, valid for a year. */
export async function issueLeaf(request: LeafRequest, authority: PemPair, clock: Clock): Promise<PemPair> {
  const issuer = new X509Certificate(authority.certificate);
  const der = createPrivateKey(authority.privateKey).export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, ECDSA, false, ["sign"]);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    subject: [...(request.organization === undefined ? [] : [{ O: [request.organization] }]), { CN: [request.commonName] }],
    issuer: issuer.subjectName,
    serialNumber: newSerial(),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ECDSA,
    ...validity(clock, LEAF_DAYS),
    extensions: await leafExtensions(request, issuer),
  });
  return { certificate: pem(certificate), privateKey: await exportKey(keys.privateKey) };
}

async function leafExtensions(request: LeafRequest, issuer: X509Certificate): Promise<Extension[]> {
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension(request.usages.map((usage) => ExtendedKeyUsage[usage === "client" ? "clientAuth" : "serverAuth"])),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
  ];
}

/** A P-256 private key in PKCS #8 PEM, for signing tokens with ES256. */
export async function issueSigningKey(): Promise<string> {
  return exportKey((await newKeys()).privateKey);
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

export function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem").trim()}\n`;
}

/** Positive, and long enough never to be repeated by accident. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = clock.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}
