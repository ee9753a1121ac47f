// Bearer tokens known at start, such as a bootstrap token for joining nodes.
import { createHash } from "node:crypto";
import type { UserInfo } from "../../api/index.ts";
import { type TokenAuthenticator, withAuthenticated } from "./authenticator.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: string;
  readonly groups: readonly string[];
}

export class StaticTokens implements TokenAuthenticator {
  /** By the token's hash, so that looking up takes the same time for near misses. */
  readonly #users: ReadonlyMap<string, UserInfo>;

  constructor(tokens: readonly StaticToken[]) {
    this.#users = new Map(tokens.map(({ token, user, groups }) => [hash(token), { name: user, groups: withAuthenticated(groups) }]));
  }

  async authenticateToken(token: string): Promise<UserInfo | undefined> {
    return this.#users.get(hash(token));
  }
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
