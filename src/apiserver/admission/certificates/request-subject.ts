// Whose certificate a PKCS #10 request asks for.
import "reflect-metadata";

export interface RequestSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** Undefined for what is no request. The parser is loaded when it is needed, which is seldom. */
export async function subjectOf(base64Request: string): Promise<RequestSubject | undefined> {
  const { Pkcs10CertificateRequest } = await import("@peculiar/x509");
  try {
    const { subjectName } = new Pkcs10CertificateRequest(Buffer.from(base64Request, "base64").toString());
    return { commonName: subjectName.getField("CN")[0] ?? "", organizations: subjectName.getField("O") };
  } catch {
    return undefined;
  }
}
