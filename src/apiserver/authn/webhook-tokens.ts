// Tokens that another server judges: it is sent a TokenReview.
import type { Logger } from "../../base/index.ts";
import type { JsonFetcher } from "../webhooks/fetch-json.ts";
import { withAuthenticated } from "./authenticator.ts";
import { type AuthenticatedToken, InvalidTokenError, type TokenAuthenticator } from "./token-chain.ts";

export interface TokenWebhookConfig {
  readonly url: string;
  /** PEM. */
  readonly ca?: string;
  readonly clientCertificate?: { readonly cert: string | Buffer; readonly key: string | Buffer };
}

export interface WebhookTokensOptions {
  readonly config: TokenWebhookConfig;
  readonly apiAudiences: readonly string[];
  readonly fetchJson: JsonFetcher;
  readonly logger: Logger;
}

const TIMEOUT_MS = 30_000;

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly audiences?: readonly string[];
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

export class WebhookTokens implements TokenAuthenticator {
  readonly #options: WebhookTokensOptions;

  constructor(options: WebhookTokensOptions) {
    this.#options = options;
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const { authenticated, error, user, audiences: told = [] } = await this.#review(token, audiences);
    if (error !== undefined && error !== "") throw new InvalidTokenError(error);
    if (authenticated !== true || user === undefined) return undefined;
    // A webhook that knows nothing of audiences speaks for the server's own.
    const good = told.length === 0 ? this.#options.apiAudiences : told;
    const common = audiences.filter((audience) => good.includes(audience));
    if (common.length === 0) return undefined;
    const { username: name = "", uid, groups = [], extra } = user;
    const found = { name, groups: withAuthenticated(groups), ...(uid ? { uid } : {}), ...(extra === undefined ? {} : { extra }) };
    return { user: found, audiences: common };
  }

  async #review(token: string, audiences: readonly string[]): Promise<ReviewStatus> {
    const { config, fetchJson, logger } = this.#options;
    const review = { kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: { token, audiences } };
    try {
      const { url, ca, clientCertificate } = config;
      const answer = await fetchJson({ url, ca, clientCertificate, body: review, timeoutMs: TIMEOUT_MS });
      return (answer as { status?: ReviewStatus }).status ?? {};
    } catch (error) {
      logger.warn("the token webhook failed", { url: config.url, error });
      throw new InvalidTokenError(
        `Failed to make webhook authenticator request: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
