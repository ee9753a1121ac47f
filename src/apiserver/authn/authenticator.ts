// Who sends a request: the chain of client certificate, bearer token and, for health checks only, nobody in particular.
import type { UserInfo } from "../../api/index.ts";
import { unauthorized } from "../../machinery/index.ts";

/** What a request shows of its sender. */
export interface Credentials {
  /** The path without the query. */
  readonly path: string;
  readonly bearerToken: string | undefined;
  /** The user of the connection's verified client certificate; `rejected` when a certificate came that is not ours. */
  readonly certificateUser: UserInfo | "rejected" | undefined;
}

export interface Authenticator {
  /** Rejects with Unauthorized when there is no user. */
  authenticate(credentials: Credentials): UserInfo | Promise<UserInfo>;
}

/** Knows one kind of token; undefined for tokens that are not its own, Unauthorized for bad ones. */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences?: readonly string[]): Promise<UserInfo | undefined>;
}

export const ALL_AUTHENTICATED = "system:authenticated";
export const ALL_UNAUTHENTICATED = "system:unauthenticated";

const anonymous: UserInfo = { name: "system:anonymous", groups: [ALL_UNAUTHENTICATED] };

export interface AuthenticatorChainOptions {
  readonly tokens: readonly TokenAuthenticator[];
  /** Paths on which nobody in particular may ask; whether the answer is yes is up to the authorizer. */
  readonly anonymousPaths: ReadonlySet<string>;
}

export class AuthenticatorChain implements Authenticator {
  readonly #options: AuthenticatorChainOptions;

  constructor(options: AuthenticatorChainOptions) {
    this.#options = options;
  }

  authenticate({ path, bearerToken, certificateUser }: Credentials): UserInfo | Promise<UserInfo> {
    if (certificateUser !== undefined && certificateUser !== "rejected") return certificateUser;
    if (bearerToken !== undefined) return this.#fromToken(bearerToken);
    if (certificateUser === undefined && this.#options.anonymousPaths.has(path)) return anonymous;
    throw unauthorized();
  }

  async #fromToken(token: string): Promise<UserInfo> {
    for (const authenticator of this.#options.tokens) {
      const user = await authenticator.authenticateToken(token);
      if (user !== undefined) return user;
    }
    throw unauthorized();
  }
}

/** `groups` with system:authenticated, which every known user is in. */
export function withAuthenticated(groups: readonly string[]): readonly string[] {
  return groups.includes(ALL_AUTHENTICATED) ? groups : [...groups, ALL_AUTHENTICATED];
}
