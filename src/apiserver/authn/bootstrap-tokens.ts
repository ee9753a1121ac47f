// Bootstrap tokens (`abcdef.0123456789abcdef`), by which nodes join: each is a Secret in kube-system.
import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../base/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import { ALL_AUTHENTICATED } from "./authenticator.ts";
import type { ObjectLookup } from "./service-account-tokens.ts";
import { type AuthenticatedToken, forApi, type TokenAuthenticator } from "./token-chain.ts";

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const SECRET_TYPE = "bootstrap.kubernetes.io/token";
const BOOTSTRAPPERS = "system:bootstrappers";

type TokenSecret = DeepReadonly<KubeObject & { type?: string; data?: Record<string, string> }>;

export interface BootstrapTokensOptions {
  readonly lookup: ObjectLookup;
  readonly clock: Pick<Clock, "now">;
  readonly apiAudiences: readonly string[];
}

export class BootstrapTokens implements TokenAuthenticator {
  readonly #options: BootstrapTokensOptions;

  constructor(options: BootstrapTokensOptions) {
    this.#options = options;
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const { lookup, clock, apiAudiences } = this.#options;
    const [, id, secretPart] = tokenPattern.exec(token) ?? [];
    if (id === undefined || secretPart === undefined) return undefined;
    const secret = (await lookup("secrets", "kube-system", `bootstrap-token-${id}`)) as TokenSecret | undefined;
    const groups = secret === undefined ? undefined : groupsOf(secret, { id, secretPart, nowMs: clock.now() });
    if (groups === undefined) return undefined;
    return forApi({ name: `system:bootstrap:${id}`, groups: [...groups, ALL_AUTHENTICATED] }, audiences, apiAudiences);
  }
}

/** The groups of the token's user; undefined when the secret is not, or no longer, one for this token. */
function groupsOf(secret: TokenSecret, token: { readonly id: string; readonly secretPart: string; readonly nowMs: number }) {
  if (secret.metadata.deletionTimestamp !== undefined || secret.type !== SECRET_TYPE) return undefined;
  const field = (name: string) => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");
  if (field("token-id") !== token.id || !isSame(field("token-secret"), token.secretPart)) return undefined;
  const expiration = field("expiration");
  if (expiration !== "" && !(Date.parse(expiration) > token.nowMs)) return undefined;
  if (field("usage-bootstrap-authentication") !== "true") return undefined;
  const extra = field("auth-extra-groups")
    .split(",")
    .filter((group) => group !== "");
  return extra.every((group) => groupPattern.test(group)) ? [BOOTSTRAPPERS, ...new Set(extra)] : undefined;
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
