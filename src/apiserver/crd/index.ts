export type { WebhookCaller } from "./conversion.ts";
export { CustomResources, DEFINITIONS_PREFIX } from "./custom-resources.ts";
