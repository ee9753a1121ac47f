// ID tokens of an OpenID Connect issuer: signature by the issuer's published keys, audience, and claims mapped to a user.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { UserInfo } from "../../api/index.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { JsonFetcher } from "../webhooks/fetch-json.ts";
import { withAuthenticated } from "./authenticator.ts";
import { unverifiedIssuer } from "./service-account-tokens.ts";
import { type AuthenticatedToken, forApi, InvalidTokenError, type TokenAuthenticator } from "./token-chain.ts";

/** A JWTAuthenticator of apiserver.config.k8s.io/v1, without its CEL expressions. */
export interface JwtAuthenticatorConfig {
  readonly issuer: {
    readonly url: string;
    readonly discoveryURL?: string;
    /** PEM. */
    readonly certificateAuthority?: string;
    readonly audiences: readonly string[];
  };
  readonly claimValidationRules?: readonly { readonly claim: string; readonly requiredValue: string }[];
  readonly claimMappings: {
    readonly username: ClaimMapping;
    readonly groups?: ClaimMapping;
    readonly uid?: { readonly claim: string };
  };
}

interface ClaimMapping {
  readonly claim: string;
  readonly prefix?: string;
}

export interface OidcTokensOptions {
  readonly config: JwtAuthenticatorConfig;
  readonly apiAudiences: readonly string[];
  readonly fetchJson: JsonFetcher;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"];
/** Unknown keys make the published ones be read again, but not more often than this. */
const REFRESH_EVERY_MS = 10_000;
const FETCH_TIMEOUT_MS = 10_000;

export class OidcTokens implements TokenAuthenticator {
  readonly #options: OidcTokensOptions;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #fetching: Promise<void> | undefined;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OidcTokensOptions) {
    this.#options = options;
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const { config, apiAudiences } = this.#options;
    if (unverifiedIssuer(token) !== config.issuer.url) return undefined;
    const user = userOf(config, await this.#verify(token));
    return forApi(user, audiences, apiAudiences);
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { config, clock } = this.#options;
    const check = { issuer: config.issuer.url, audience: [...config.issuer.audiences], algorithms: ALGORITHMS, requiredClaims: ["exp"] };
    if (this.#keys === undefined) await this.#refresh();
    for (let mayRefresh = true; ; mayRefresh = false) {
      try {
        if (this.#keys === undefined) throw new InvalidTokenError("oidc: authenticator not initialized");
        return (await jwtVerify(token, this.#keys, { ...check, currentDate: new Date(clock.now()) })).payload;
      } catch (error) {
        const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
        if (!isUnknownKey || !mayRefresh) throw invalidToken(error);
        await this.#refresh();
      }
    }
  }

  /** Reads the issuer's keys; one reading serves all who wait. A failure leaves the keys that are known. */
  async #refresh(): Promise<void> {
    const { clock, logger, config } = this.#options;
    if (this.#fetching === undefined && clock.now() - this.#fetchedAtMs < REFRESH_EVERY_MS) return;
    this.#fetchedAtMs = clock.now();
    this.#fetching ??= this.#fetchKeys()
      .catch((error: unknown) => logger.warn("cannot read the keys of an OIDC issuer", { issuer: config.issuer.url, error }))
      .finally(() => {
        this.#fetching = undefined;
      });
    await this.#fetching;
  }

  async #fetchKeys(): Promise<void> {
    const { config, fetchJson } = this.#options;
    const { url, discoveryURL = `${url.replace(/\/$/, "")}/.well-known/openid-configuration`, certificateAuthority: ca } = config.issuer;
    const document = (await fetchJson({ url: discoveryURL, ca, timeoutMs: FETCH_TIMEOUT_MS })) as { issuer?: string; jwks_uri?: string };
    if (document.issuer !== url || document.jwks_uri === undefined) {
      throw new Error(`oidc: issuer did not match the issuer returned by provider, expected "${url}" got "${document.issuer}"`);
    }
    this.#keys = createLocalJWKSet((await fetchJson({ url: document.jwks_uri, ca, timeoutMs: FETCH_TIMEOUT_MS })) as JSONWebKeySet);
  }
}

function invalidToken(error: unknown): unknown {
  if (!(error instanceof errors.JOSEError)) return error;
  return new InvalidTokenError(`oidc: verify token: ${error.message}`, { cause: error });
}

/** The user that a verified token names. Throws InvalidTokenError when its claims do not do. */
export function userOf({ claimMappings, claimValidationRules = [] }: JwtAuthenticatorConfig, claims: JWTPayload): UserInfo {
  for (const { claim, requiredValue } of claimValidationRules) {
    if (claims[claim] === undefined) throw new InvalidTokenError(`oidc: required claim ${claim} not present in ID token`);
    if (claims[claim] !== requiredValue) {
      throw new InvalidTokenError(
        `oidc: required claim ${claim} value does not match. Got = ${String(claims[claim])}, want = ${requiredValue}`,
      );
    }
  }
  const { username, groups, uid } = claimMappings;
  const name = claims[username.claim];
  if (typeof name !== "string" || name === "")
    throw new InvalidTokenError(`oidc: parse username claims "${username.claim}": claim not present`);
  if (username.claim === "email" && claims["email_verified"] !== undefined && claims["email_verified"] !== true) {
    throw new InvalidTokenError("oidc: email not verified");
  }
  const id = uid === undefined ? undefined : claims[uid.claim];
  return {
    name: `${username.prefix ?? ""}${name}`,
    groups: withAuthenticated(groups === undefined ? [] : groupsOf(claims[groups.claim], groups)),
    ...(typeof id === "string" ? { uid: id } : {}),
    ...(typeof claims.jti === "string" ? { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] } } : {}),
  };
}

function groupsOf(value: unknown, { claim, prefix = "" }: ClaimMapping): string[] {
  if (value === undefined) return [];
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || !list.every((group) => typeof group === "string")) {
    throw new InvalidTokenError(`oidc: parse groups claim "${claim}": must be a string or a list of strings`);
  }
  return list.map((group) => `${prefix}${group}`);
}
