export type * from "./framework.ts";
export { defaultPlugins } from "./plugins/index.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler.ts";
