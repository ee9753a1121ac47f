export { HostProber, type HostProberOptions } from "./host-prober.ts";
export * from "./prober.ts";
