export { HostProber, type HostProberOptions } from "./host-prober.ts";
export { ProbeCounts } from "./probe-counts.ts";
export * from "./prober.ts";
