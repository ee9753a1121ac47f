// Reads PKCS #10 requests, and makes certificates of them.
import "./reflect.ts";
import { createPrivateKey, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Clock } from "../../base/index.ts";
import type { CertificateRequest, SigningOptions } from "../../controllers/index.ts";
import { ECDSA, newSerial, type PemPair, pem } from "./issue.ts";

/** Backdated as upstream's: for machines whose clock is a little behind. */
const BACKDATE_MS = 5 * 60_000;

const keyUsages: Readonly<Record<string, KeyUsageFlags>> = {
  "digital signature": KeyUsageFlags.digitalSignature,
  signing: KeyUsageFlags.digitalSignature,
  "key encipherment": KeyUsageFlags.keyEncipherment,
  "content commitment": KeyUsageFlags.nonRepudiation,
  "key agreement": KeyUsageFlags.keyAgreement,
  "data encipherment": KeyUsageFlags.dataEncipherment,
};
const extendedUsages: Readonly<Record<string, string>> = {
  "client auth": ExtendedKeyUsage.clientAuth,
  "server auth": ExtendedKeyUsage.serverAuth,
  "code signing": ExtendedKeyUsage.codeSigning,
  "email protection": ExtendedKeyUsage.emailProtection,
  timestamping: ExtendedKeyUsage.timeStamping,
  "ocsp signing": ExtendedKeyUsage.ocspSigning,
};

async function parse(request: string): Promise<Pkcs10CertificateRequest> {
  const parsed = new Pkcs10CertificateRequest(request);
  if (!(await parsed.verify())) throw new Error("the request is not signed by its own key");
  return parsed;
}

function namesOf(request: Pkcs10CertificateRequest): SubjectAlternativeNameExtension | undefined {
  return request.extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension);
}

export async function readRequest(request: string): Promise<CertificateRequest> {
  const parsed = await parse(request);
  const names = namesOf(parsed)?.names.items ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: parsed.subjectName.getField("CN")[0] ?? "",
    organizations: parsed.subjectName.getField("O"),
    dnsNames: ofType("dns"),
    ipAddresses: ofType("ip"),
    emailAddresses: ofType("email"),
    uris: ofType("url"),
  };
}

export async function signRequest(
  request: string,
  { usages, durationMs }: SigningOptions,
  { authority, clock }: { readonly authority: PemPair; readonly clock: Clock },
): Promise<string> {
  const parsed = await parse(request);
  const issuer = new X509Certificate(authority.certificate);
  const der = createPrivateKey(authority.privateKey).export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, ECDSA, false, ["sign"]);
  const names = namesOf(parsed);
  const key = usages.reduce((flags, usage) => flags | (keyUsages[usage] ?? 0), 0);
  const extended = usages.flatMap((usage) => extendedUsages[usage] ?? []);
  const nowMs = clock.now();
  const certificate = await X509CertificateGenerator.create({
    subject: parsed.subjectName,
    issuer: issuer.subjectName,
    serialNumber: newSerial(),
    publicKey: parsed.publicKey,
    signingKey,
    signingAlgorithm: ECDSA,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(Math.min(nowMs - BACKDATE_MS + durationMs, issuer.notAfter.getTime())),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      ...(key === 0 ? [] : [new KeyUsagesExtension(key, true)]),
      ...(extended.length === 0 ? [] : [new ExtendedKeyUsageExtension(extended)]),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names === undefined ? [] : [new SubjectAlternativeNameExtension(names.names.toJSON(), names.critical)]),
    ],
  });
  return pem(certificate);
}
