// The machine's disks and what pods use of them, for `/stats/summary`.

import type { PodObject } from "../pod/pod-object.ts";
import type { DiskReport, FileSystemUsage } from "../server/index.ts";
import type { NodeMeter } from "./eviction-manager.ts";
import type { Observations } from "./pressure.ts";

/** Walks what the pods wrote. */
export async function diskReport(meter: NodeMeter, pods: readonly PodObject[], timestampMs: number): Promise<DiskReport> {
  const [observed, uses] = await Promise.all([meter.observe(), meter.podUse(pods, { measuresDisk: true })]);
  const { available = 0, capacity = 0 } = observed.get("pid.available") ?? {};
  return {
    timestampMs,
    node: fileSystem(observed, "nodefs"),
    images: fileSystem(observed, "imagefs"),
    processes: { max: capacity, current: capacity - available },
    pods: uses,
  };
}

function fileSystem(observed: Observations, name: "nodefs" | "imagefs"): FileSystemUsage {
  const { available: availableBytes = 0, capacity: capacityBytes = 0 } = observed.get(`${name}.available`) ?? {};
  const inodes = observed.get(`${name}.inodesFree`);
  return {
    capacityBytes,
    availableBytes,
    usedBytes: capacityBytes - availableBytes,
    ...(inodes === undefined ? {} : { inodes: inodes.capacity, inodesFree: inodes.available }),
  };
}
