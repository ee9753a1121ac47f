export * from "./authorizer.ts";
export * from "./non-resource-error.ts";
