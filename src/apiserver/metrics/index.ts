export * from "./metrics-endpoint.ts";
export * from "./request-metrics.ts";
