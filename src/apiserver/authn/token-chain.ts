// Bearer tokens: asks each kind of token whether a token is its own, and knows what was wrong with one that is nobody's.
import type { UserInfo } from "../../api/index.ts";
import type { Clock } from "../../base/index.ts";

export interface AuthenticatedToken {
  readonly user: UserInfo;
  /** Those of the audiences asked for that the token is good for. */
  readonly audiences: readonly string[];
}

/** The token is not good; the text says why, for TokenReviews only. */
export class InvalidTokenError extends Error {
  readonly code = "INVALID_TOKEN";
}

/** Knows one kind of token. */
export interface TokenAuthenticator {
  /** undefined for tokens that are not its own; rejects with InvalidTokenError for bad ones. */
  authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined>;
}

export interface TokenChainOptions {
  /** Those to ask now, in their order. */
  readonly authenticators: () => readonly TokenAuthenticator[];
  /** The server's own audiences: meant when none are asked for. */
  readonly apiAudiences: readonly string[];
}

export class TokenChain {
  readonly #options: TokenChainOptions;

  constructor(options: TokenChainOptions) {
    this.#options = options;
  }

  /** Rejects with InvalidTokenError when the token is nobody's or not good for any of `audiences`. */
  async authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken> {
    const { authenticators, apiAudiences } = this.#options;
    const problems = ["invalid bearer token"];
    for (const authenticator of authenticators()) {
      try {
        const found = await authenticator.authenticateToken(token, audiences.length === 0 ? apiAudiences : audiences);
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof InvalidTokenError)) throw error;
        problems.push(error.message);
      }
    }
    throw new InvalidTokenError(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
  }
}

/** For kinds of tokens that have no audiences: they are good for the server's own. */
export function forApi(user: UserInfo, audiences: readonly string[], apiAudiences: readonly string[]): AuthenticatedToken | undefined {
  const common = audiences.filter((audience) => apiAudiences.includes(audience));
  return common.length === 0 ? undefined : { user, audiences: common };
}

/** More tokens than this at a time mean that someone plays. */
const CACHE_LIMIT = 4096;

export interface TokenCacheOptions {
  readonly clock: Pick<Clock, "now">;
  readonly ttlMs: number;
}

/** Remembers the good tokens of another authenticator for a while. */
export class TokenCache implements TokenAuthenticator {
  readonly #authenticator: TokenAuthenticator;
  readonly #options: TokenCacheOptions;
  readonly #known = new Map<string, { readonly found: AuthenticatedToken; readonly untilMs: number }>();

  constructor(authenticator: TokenAuthenticator, options: TokenCacheOptions) {
    this.#authenticator = authenticator;
    this.#options = options;
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const { clock, ttlMs } = this.#options;
    const key = JSON.stringify([token, audiences]);
    const known = this.#known.get(key);
    if (known !== undefined && clock.now() < known.untilMs) return known.found;
    const found = await this.#authenticator.authenticateToken(token, audiences);
    if (found === undefined) return undefined;
    if (this.#known.size >= CACHE_LIMIT) this.#known.clear();
    this.#known.set(key, { found, untilMs: clock.now() + ttlMs });
    return found;
  }
}
