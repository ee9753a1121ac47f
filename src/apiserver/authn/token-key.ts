// The key by which tokens of service accounts are signed and known again.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { exportJWK, type JWTPayload, jwtVerify, type SignJWT } from "jose";

export class TokenKey {
  readonly algorithm: "ES256" | "RS256";
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #id: string;

  /** PEM of an RSA or P-256 private key. */
  constructor(pem: string | Buffer) {
    this.#privateKey = createPrivateKey(pem);
    this.#publicKey = createPublicKey(pem);
    this.algorithm = this.#privateKey.asymmetricKeyType === "rsa" ? "RS256" : "ES256";
    const der = this.#publicKey.export({ type: "spki", format: "der" });
    this.#id = createHash("sha256").update(der).digest("base64url");
  }

  sign(token: SignJWT): Promise<string> {
    return token.setProtectedHeader({ alg: this.algorithm, kid: this.#id }).sign(this.#privateKey);
  }

  /** What the token says; throws the errors of jose. */
  async verify(token: string, { issuer, nowMs }: { readonly issuer: string; readonly nowMs: number }): Promise<JWTPayload> {
    const options = { issuer, algorithms: [this.algorithm], currentDate: new Date(nowMs) };
    return (await jwtVerify(token, this.#publicKey, options)).payload;
  }

  async jwk(): Promise<object> {
    return { use: "sig", kid: this.#id, alg: this.algorithm, ...(await exportJWK(this.#publicKey)) };
  }
}
