// What the controllers of certificate requests need of the cluster's authority. It is made where its key is read.

/** What a PKCS #10 request asks for. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

export interface SigningOptions {
  /** Such as `digital signature` and `client auth`. */
  readonly usages: readonly string[];
  readonly durationMs: number;
}

export interface CertificateAuthority {
  /** `request` is PEM. Rejects when it cannot be read, or is not signed by the key that it shows. */
  read(request: string): Promise<CertificateRequest>;
  /** Answers the certificate in PEM; it ends no later than the authority's own. */
  sign(request: string, options: SigningOptions): Promise<string>;
  /** When a certificate in PEM ends. */
  expiresAtMs(certificate: string): number;
}
