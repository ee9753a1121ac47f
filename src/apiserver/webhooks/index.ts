export { type Address, EndpointServiceResolver, type ServiceReference, type ServiceResolver } from "./service-resolver.ts";
export { type WebhookCallOptions, WebhookClient, type WebhookConfig } from "./webhook-client.ts";
export { WebhookCallError } from "./webhook-error.ts";
