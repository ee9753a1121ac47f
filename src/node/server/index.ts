export { NodeServer, type NodeServerOptions, type NodeTls } from "./node-server.ts";
export { hostUsage } from "./node-usage.ts";
export type { PodsView } from "./pod-target.ts";
export type { DiskReport, FileSystemUsage, UsageSample } from "./stats-summary.ts";
