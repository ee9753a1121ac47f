// Tokens that secrets of type kubernetes.io/service-account-token hold. They have no end, but are good only as long as their
// secret and their account are there.
import { type JWTPayload, SignJWT } from "jose";
import type { Secret } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import { ALL_AUTHENTICATED } from "./authenticator.ts";
import { type ObjectLookup, unverifiedIssuer } from "./service-account-tokens.ts";
import { type AuthenticatedToken, forApi, InvalidTokenError, type TokenAuthenticator } from "./token-chain.ts";
import { TokenKey } from "./token-key.ts";

const ISSUER = "kubernetes/serviceaccount";
const CLAIM = "kubernetes.io/serviceaccount/";
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
/** Servers' clocks may differ by so much: nobody writes a day again that another has just written. */
const CLOCK_SKEW_MS = 12 * 3_600_000;

export interface LegacyServiceAccountTokensOptions {
  /** PEM of an RSA or P-256 private key. */
  readonly signingKey: string | Buffer;
  readonly apiAudiences: readonly string[];
  readonly lookup: ObjectLookup;
  /** Sets a label of a secret. */
  readonly labelSecret: (secret: DeepReadonly<KubeObject>, labels: Readonly<Record<string, string>>) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

interface Claims {
  readonly namespace: string;
  readonly secretName: string;
  readonly account: { readonly name: string; readonly uid: string };
}

/** @see kubernetes `pkg/serviceaccount/legacy.go` */
export class LegacyServiceAccountTokens implements TokenAuthenticator {
  readonly #options: LegacyServiceAccountTokensOptions;
  readonly #key: TokenKey;

  constructor(options: LegacyServiceAccountTokensOptions) {
    this.#options = options;
    this.#key = new TokenKey(options.signingKey);
  }

  /** The token of `account` that `secret` is to hold. */
  issue(account: DeepReadonly<KubeObject>, secret: DeepReadonly<KubeObject>): Promise<string> {
    const { namespace = "", name = "", uid = "" } = account.metadata;
    const token = new SignJWT({
      [`${CLAIM}namespace`]: namespace,
      [`${CLAIM}secret.name`]: secret.metadata.name ?? "",
      [`${CLAIM}service-account.name`]: name,
      [`${CLAIM}service-account.uid`]: uid,
    });
    return this.#key.sign(token.setIssuer(ISSUER).setSubject(`system:serviceaccount:${namespace}:${name}`));
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    if (unverifiedIssuer(token) !== ISSUER) return undefined;
    const { clock, apiAudiences } = this.#options;
    const payload = await this.#key.verify(token, { issuer: ISSUER, nowMs: clock.now() }).catch((cause: unknown) => {
      throw new InvalidTokenError("service account token is not valid", { cause });
    });
    const claims = claimsOf(payload);
    const secret = await this.#checkedSecret(claims, token);
    await this.#checkAccount(claims);
    this.#checkUsable(secret, claims);
    await this.#recordUse(secret);
    const { namespace, account } = claims;
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, ALL_AUTHENTICATED];
    return forApi({ name: `system:serviceaccount:${namespace}:${account.name}`, uid: account.uid, groups }, audiences, apiAudiences);
  }

  async #checkedSecret({ namespace, secretName }: Claims, token: string): Promise<DeepReadonly<Secret>> {
    const secret = (await this.#options.lookup("secrets", namespace, secretName)) as DeepReadonly<Secret> | undefined;
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) throw new InvalidTokenError("Token has been invalidated");
    if (Buffer.from(secret.data?.["token"] ?? "", "base64").toString() !== token)
      throw new InvalidTokenError("Token does not match server's copy");
    return secret;
  }

  async #checkAccount({ namespace, account }: Claims): Promise<void> {
    const metadata = (await this.#options.lookup("serviceaccounts", namespace, account.name))?.metadata;
    if (metadata === undefined || metadata.deletionTimestamp !== undefined)
      throw new InvalidTokenError(`ServiceAccount ${namespace}/${account.name} has been deleted`);
    if (metadata.uid !== account.uid)
      throw new InvalidTokenError(`ServiceAccount UID (${metadata.uid}) does not match claim (${account.uid})`);
  }

  #checkUsable({ metadata }: DeepReadonly<Secret>, { namespace, secretName, account }: Claims): void {
    if (!metadata.labels?.[INVALID_SINCE]) return;
    throw new InvalidTokenError(
      `the token in secret ${namespace}/${secretName} for service account ${namespace}/${account.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
    );
  }

  /** By the day: who cleans up wants to know no more. */
  async #recordUse(secret: DeepReadonly<Secret>): Promise<void> {
    const { clock, labelSecret, logger } = this.#options;
    const lastUsedMs = Date.parse(secret.metadata.labels?.[LAST_USED] ?? "");
    if (clock.now() < lastUsedMs + 24 * 3_600_000 + CLOCK_SKEW_MS) return;
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    await labelSecret(secret, { [LAST_USED]: today }).catch((error: unknown) =>
      logger.warn("recording the use of a token failed", { secret: secret.metadata.name, error: String(error) }),
    );
  }
}

function claimsOf(payload: JWTPayload): Claims {
  const claim = (name: string, what: string): string => {
    const value = payload[CLAIM + name];
    if (typeof value !== "string" || value === "") throw new InvalidTokenError(`${what} claim is missing`);
    return value;
  };
  const namespace = claim("namespace", "namespace");
  const secretName = claim("secret.name", "secretName");
  const account = { name: claim("service-account.name", "serviceAccountName"), uid: claim("service-account.uid", "serviceAccountUID") };
  if (payload.sub !== `system:serviceaccount:${namespace}:${account.name}`) throw new InvalidTokenError("sub claim is invalid");
  return { namespace, secretName, account };
}
