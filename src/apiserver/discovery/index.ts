export * from "./discovery-endpoint.ts";
export * from "./groups.ts";
export * from "./health-endpoint.ts";
export * from "./version-endpoint.ts";
