export { type GarbageCollectorOptions, garbageCollector } from "./garbage-collector-controller.ts";
export { type CollectableResource, deletableResources } from "./monitors.ts";
