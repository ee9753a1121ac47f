// Bearer tokens known at start, such as a bootstrap token for joining nodes.
import { createHash } from "node:crypto";
import type { UserInfo } from "../../api/index.ts";
import { withAuthenticated } from "./authenticator.ts";
import { type AuthenticatedToken, forApi, type TokenAuthenticator } from "./token-chain.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: string;
  readonly groups: readonly string[];
}

export class StaticTokens implements TokenAuthenticator {
  /** By the token's hash, so that looking up takes the same time for near misses. */
  readonly #users: ReadonlyMap<string, UserInfo>;
  readonly #apiAudiences: readonly string[];

  constructor(tokens: readonly StaticToken[], apiAudiences: readonly string[]) {
    this.#users = new Map(tokens.map(({ token, user, groups }) => [hash(token), { name: user, groups: withAuthenticated(groups) }]));
    this.#apiAudiences = apiAudiences;
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const user = this.#users.get(hash(token));
    return user === undefined ? undefined : forApi(user, audiences, this.#apiAudiences);
  }
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
