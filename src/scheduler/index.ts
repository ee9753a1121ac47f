export type { ClusterState } from "./cluster/cluster-state.ts";
export type { NodeInfo } from "./cluster/node-info.ts";
export type { PodInfo } from "./cluster/pod-info.ts";
export { type ClusterEvent, type ObjectChange, type WakeRule, wakesIf, wakesOn } from "./framework/events.ts";
export * from "./framework/plugin.ts";
export { defaultRegistry, type PluginContext, type PluginFactory, type PluginRegistry } from "./plugins/registry.ts";
export { type SchedulerConfiguration, SchedulerConfigurationError, schedulerConfiguration } from "./profile/configuration.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler.ts";
