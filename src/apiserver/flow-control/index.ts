export { followFlowConfiguration } from "./flow-configuration.ts";
export { FlowControl, type FlowControlOptions, type FlowObserver, type Turn } from "./flow-control.ts";
export { FlowMetrics } from "./flow-metrics.ts";
export type { ResourceSize } from "./work-estimator.ts";
