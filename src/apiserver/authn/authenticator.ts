// Who sends a request: a front proxy's word, a client certificate, a bearer token and, where that is allowed, nobody in
// particular.
import type { UserInfo } from "../../api/index.ts";
import { unauthorized } from "../../machinery/index.ts";
import type { AuthenticatedToken } from "./token-chain.ts";
import { InvalidTokenError } from "./token-chain.ts";

/** What a request shows of its sender. */
export interface Credentials {
  /** The path without the query. */
  readonly path: string;
  readonly bearerToken: string | undefined;
  /** The user that a trusted front proxy names in the headers. */
  readonly proxiedUser?: UserInfo | undefined;
  /** The user of the connection's verified client certificate; `rejected` when a certificate came that is not ours. */
  readonly certificateUser: UserInfo | "rejected" | undefined;
}

export interface Authenticator {
  /** Rejects with Unauthorized when there is no user. */
  authenticate(credentials: Credentials): UserInfo | Promise<UserInfo>;
}

export const ALL_AUTHENTICATED = "system:authenticated";
export const ALL_UNAUTHENTICATED = "system:unauthenticated";

const anonymous: UserInfo = { name: "system:anonymous", groups: [ALL_UNAUTHENTICATED] };

export interface AuthenticatorChainOptions {
  readonly tokens: { authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken> };
  /** Whether nobody in particular may ask on a path; whether the answer is yes is up to the authorizer. */
  readonly allowsAnonymous: (path: string) => boolean;
}

export class AuthenticatorChain implements Authenticator {
  readonly #options: AuthenticatorChainOptions;

  constructor(options: AuthenticatorChainOptions) {
    this.#options = options;
  }

  authenticate({ path, bearerToken, proxiedUser, certificateUser }: Credentials): UserInfo | Promise<UserInfo> {
    if (proxiedUser !== undefined) return proxiedUser;
    if (certificateUser !== undefined && certificateUser !== "rejected") return certificateUser;
    if (bearerToken !== undefined) return this.#fromToken(bearerToken);
    if (certificateUser === undefined && this.#options.allowsAnonymous(path)) return anonymous;
    throw unauthorized();
  }

  async #fromToken(token: string): Promise<UserInfo> {
    try {
      return (await this.#options.tokens.authenticate(token, [])).user;
    } catch (error) {
      if (error instanceof InvalidTokenError) throw unauthorized();
      throw error;
    }
  }
}

/** `groups` with system:authenticated, which every known user is in. */
export function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes(ALL_AUTHENTICATED) ? groups : [...groups, ALL_AUTHENTICATED];
}
