export { KubeletUsageSource, type KubeletUsageSourceOptions } from "./kubelet-usage-source.ts";
export { type MetricsApiOptions, metricsApi } from "./metrics-api.ts";
export { parseResourceMetrics } from "./resource-metrics.ts";
export { containerKey, type NodeUsage, type UsageSample, type UsageSource } from "./usage.ts";
