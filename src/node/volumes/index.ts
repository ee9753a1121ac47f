export { HostVolumeManager, type HostVolumeManagerOptions } from "./host-volume-manager.ts";
export { type HostsFileOptions, hostsFile } from "./hosts-file.ts";
export type { ImageMounter } from "./image-mounter.ts";
export { LocalPathVolumes } from "./local-path.ts";
export { type LocalPathKeeperOptions, localPathKeeper } from "./local-path-keeper.ts";
export { HostMounter, type Mounter, type MountLedger, type MountRequest } from "./mounter.ts";
export { SimulatedVolumeManager } from "./simulated-volume-manager.ts";
export * from "./volume-manager.ts";
