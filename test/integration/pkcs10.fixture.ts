// Certificate requests for tests.
import "../../src/cmd/pki/reflect.ts";
import { webcrypto } from "node:crypto";
import { cryptoProvider, Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from "@peculiar/x509";

cryptoProvider.set(webcrypto as never);

/** A request as it stands in `spec.request`, for a name such as `CN=jane,O=dev`. */
export async function pkcs10(name: string, dnsNames: readonly string[] = []): Promise<string> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
  const extensions = names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions,
  });
  return Buffer.from(request.toString("pem")).toString("base64");
}
