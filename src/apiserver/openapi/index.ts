export * from "./merge-v2.ts";
export * from "./openapi-endpoint.ts";
