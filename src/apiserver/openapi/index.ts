export * from "./openapi-endpoint.ts";
