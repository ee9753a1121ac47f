// What the node agent asks of control groups: a parent for each pod's containers.
import type { PodObject } from "../pod/pod-object.ts";

export interface CgroupManager {
  /** Makes the hierarchy down to the quality of service classes. */
  setUp(): Promise<void>;
  /** Makes the pod's group with its shares and limits, and answers it as `cgroupParent` for the runtime. */
  ensurePod(pod: PodObject): Promise<string>;
  /** Removes the group of a pod whose containers are gone; harmless when there is none. */
  removePod(uid: string): Promise<void>;
  /** The uids of pods that have a group. */
  listPods(): Promise<readonly string[]>;
}

/** For nodes without control groups of their own: the runtime's default parent. */
export const noCgroups: CgroupManager = {
  setUp: async () => {},
  ensurePod: async () => "",
  removePod: async () => {},
  listPods: async () => [],
};
