// The authorizers that are asked, in their order, as an AuthorizationConfiguration says.
import type { Clock, Logger } from "../../base/index.ts";
import { jsonFetcher } from "../webhooks/fetch-json.ts";
import type { AuthorizerConfig } from "./authorization-configuration.ts";
import type { Authorizer } from "./authorizer.ts";
import { WebhookAuthorizer } from "./webhook-authorizer.ts";

/** What `up` asks for without a configuration. */
export const defaultAuthorizers: readonly AuthorizerConfig[] = [{ type: "Node" }, { type: "RBAC" }];

export interface AuthorizersOptions {
  readonly node: Authorizer;
  readonly rbac: Authorizer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createAuthorizers(configs: readonly AuthorizerConfig[], { node, rbac, clock, logger }: AuthorizersOptions): Authorizer[] {
  const fetchJson = jsonFetcher(clock);
  return configs.map((config) => {
    if (config.type === "Webhook") return new WebhookAuthorizer({ config: config.webhook, fetchJson, clock, logger });
    return config.type === "Node" ? node : rbac;
  });
}
