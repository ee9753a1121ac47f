// What the node agent asks of volumes: host paths for a pod's volumes before its containers, and their end after them.
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface VolumeManager {
  /**
   * Sets up all volumes of the pod and answers the host path of each by volume name. Repeating it is harmless and
   * cheap. Rejects with VolumeError; the caller reports FailedMount and tries again.
   */
  mountPod(pod: DeepReadonly<Pod>, signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * The host path of `subPath` in a volume, made when it is missing; rejects with VolumeError when it would leave the
   * volume.
   */
  subPath(pod: DeepReadonly<Pod>, volumeName: string, subPath: string): Promise<string>;
  /** Brings the content of configMap, secret, downwardAPI and projected volumes up to date, atomically for readers. */
  update(pod: DeepReadonly<Pod>, signal?: AbortSignal): Promise<void>;
  /** Unmounts and removes all that was set up for the pod, in this process or in an earlier one. */
  unmountPod(podUid: string, signal?: AbortSignal): Promise<void>;
  /** The uids of pods for which something is left on disk. */
  listPods(): Promise<readonly string[]>;
}

/** Objects that volumes are made from; the agent answers from its caches. All reject with StatusError. */
export interface VolumeObjects {
  configMap(namespace: string, name: string): Promise<DeepReadonly<ConfigMap>>;
  secret(namespace: string, name: string): Promise<DeepReadonly<Secret>>;
  claim(namespace: string, name: string): Promise<DeepReadonly<PersistentVolumeClaim>>;
  volume(name: string): Promise<DeepReadonly<PersistentVolume>>;
}

/** A volume that cannot be set up; the message stands behind `MountVolume.SetUp failed for volume "x" : ` in the event. */
export class VolumeError extends Error {
  readonly code = "VOLUME_FAILED";
  readonly volumeName: string;

  constructor(volumeName: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.volumeName = volumeName;
  }
}
