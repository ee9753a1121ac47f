export { builtInCatalog } from "./catalog.ts";
export type * from "./handler.ts";
export type { Resource, ResourceRef } from "./resource.ts";
export { type ResourceRow, resourceRows, type SubresourceRow, typeFacts, typeNames } from "./schema/table.ts";
export type * from "./strategy.ts";
export { resources } from "./types/resources.ts";
