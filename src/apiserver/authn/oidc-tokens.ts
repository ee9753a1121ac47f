// ID tokens of an OpenID Connect issuer: signature by the issuer's published keys, audience, and claims mapped to a user.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { Clock, Logger } from "../../base/index.ts";
import type { JsonFetcher } from "../webhooks/fetch-json.ts";
import { type JwtClaims, userOf } from "./jwt-user.ts";
import { unverifiedIssuer } from "./service-account-tokens.ts";
import { type AuthenticatedToken, forApi, InvalidTokenError, type TokenAuthenticator } from "./token-chain.ts";

/** A JWTAuthenticator of apiserver.config.k8s.io/v1. */
export interface JwtAuthenticatorConfig extends JwtClaims {
  readonly issuer: {
    readonly url: string;
    readonly discoveryURL?: string;
    /** PEM. */
    readonly certificateAuthority?: string;
    /** A token must be for one of them. */
    readonly audiences: readonly string[];
  };
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
