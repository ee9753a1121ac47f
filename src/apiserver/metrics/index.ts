export * from "./metrics-endpoint.ts";
export * from "./request-metrics.ts";
export * from "./server-metrics.ts";
