export * from "./backoff.ts";
export * from "./clock.ts";
export * from "./duration.ts";
export * from "./heap.ts";
export * from "./logger.ts";
export * from "./random.ts";
export * from "./sorted-map.ts";
export * from "./virtual-clock.ts";
