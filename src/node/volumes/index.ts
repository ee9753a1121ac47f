export { podField } from "./downward.ts";
export { HostVolumeManager, type HostVolumeManagerOptions } from "./host-volume-manager.ts";
export { HostMounter, type Mounter, type MountLedger, type MountRequest } from "./mounter.ts";
export type { ResourceField } from "./payload.ts";
export { type HostsFileOptions, hostsFile, PodFiles, readEnd } from "./pod-files.ts";
export * from "./volume-manager.ts";
