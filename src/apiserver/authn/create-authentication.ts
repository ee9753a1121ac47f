// Puts the authenticators together, as an AuthenticationConfiguration says.
import type { Clock, Logger } from "../../base/index.ts";
import { jsonFetcher } from "../webhooks/fetch-json.ts";
import { AuthenticatorChain } from "./authenticator.ts";
import { BootstrapTokens } from "./bootstrap-tokens.ts";
import type { LegacyServiceAccountTokens } from "./legacy-service-account-tokens.ts";
import { type JwtAuthenticatorConfig, OidcTokens } from "./oidc-tokens.ts";
import type { ObjectLookup, ServiceAccountTokens } from "./service-account-tokens.ts";
import { type StaticToken, StaticTokens } from "./static-tokens.ts";
import { type TokenAuthenticator, TokenCache, TokenChain } from "./token-chain.ts";
import { type TokenWebhookConfig, WebhookTokens } from "./webhook-tokens.ts";

/** What an apiserver.config.k8s.io/v1 AuthenticationConfiguration says, and the token webhook. */
export interface AuthenticationConfig {
  readonly jwt?: readonly JwtAuthenticatorConfig[];
  /** Default: nobody in particular may ask for health and version. Conditions name the only paths. */
  readonly anonymous?: { readonly enabled: boolean; readonly conditions?: readonly { readonly path: string }[] };
  readonly webhook?: TokenWebhookConfig;
}

export interface AuthenticationOptions {
  readonly config: AuthenticationConfig;
  readonly serviceAccounts: ServiceAccountTokens;
  readonly secretTokens: LegacyServiceAccountTokens;
  readonly staticTokens: readonly StaticToken[];
  readonly lookup: ObjectLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Authentication {
  readonly tokens: TokenChain;
  readonly authenticator: AuthenticatorChain;
  /** From now on this is what holds; what was remembered of tokens before is forgotten. */
  configure(config: AuthenticationConfig): void;
}

/** Upstream's times to remember what a token is. */
const SECRET_TOKEN_TTL_MS = 10_000;
const OIDC_TTL_MS = 10_000;
const WEBHOOK_TTL_MS = 120_000;

const publicPaths = new Set(["/healthz", "/livez", "/readyz", "/version"]);

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { serviceAccounts, secretTokens, staticTokens, lookup, clock, logger } = options;
  const apiAudiences = serviceAccounts.defaultAudiences;
  const cached = (authenticator: TokenAuthenticator, ttlMs: number) => new TokenCache(authenticator, { clock, ttlMs });
  const shared = { apiAudiences, fetchJson: jsonFetcher(clock), clock, logger };
  const own = [
    new StaticTokens(staticTokens, apiAudiences),
    serviceAccounts,
    cached(secretTokens, SECRET_TOKEN_TTL_MS),
    new BootstrapTokens({ lookup, clock, apiAudiences }),
  ];
  const asConfigured = ({ jwt = [], webhook, anonymous }: AuthenticationConfig) => ({
    authenticators: [
      ...own,
      ...jwt.map((config) => cached(new OidcTokens({ ...shared, config }), OIDC_TTL_MS)),
      ...(webhook === undefined ? [] : [cached(new WebhookTokens({ ...shared, config: webhook }), WEBHOOK_TTL_MS)]),
    ],
    allowsAnonymous: anonymousRule(anonymous),
  });
  let current = asConfigured(options.config);
  const tokens = new TokenChain({ apiAudiences, authenticators: () => current.authenticators });
  return {
    tokens,
    authenticator: new AuthenticatorChain({ tokens, allowsAnonymous: (path) => current.allowsAnonymous(path) }),
    configure: (config) => {
      current = asConfigured(config);
    },
  };
}

/** Where nobody in particular may ask. */
export function anonymousRule(config: AuthenticationConfig["anonymous"]): (path: string) => boolean {
  if (config === undefined) return (path) => publicPaths.has(path);
  if (!config.enabled) return () => false;
  const { conditions } = config;
  if (conditions === undefined || conditions.length === 0) return () => true;
  const paths = new Set(conditions.map(({ path }) => path));
  return (path) => paths.has(path);
}
