// What this machine has left and what its pods use: from /proc, the file systems, and the runtime.
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { HostCgroups } from "../cgroups/host-cgroups.ts";
import { podLogDirectory } from "../containers/sandbox-config.ts";
import { type PodObject, podUid } from "../pod/pod-object.ts";
import type { ContainerUsage, Runtime } from "../runtime/runtime.ts";
import type { NodeMeter } from "./eviction-manager.ts";
import type { Observations, SignalObservation } from "./pressure.ts";
import type { PodUse } from "./rank.ts";
import type { EvictionSignal } from "./thresholds.ts";

export interface HostMeterOptions {
  readonly runtime: Pick<Runtime, "usage">;
  readonly cgroups: Pick<HostCgroups, "countProcesses">;
  /** Holds pods' volumes. */
  readonly rootDir: string;
  readonly logDir: string;
  /** Holds images and containers. */
  readonly imageDir: string;
}

interface DiskUse {
  readonly bytes: number;
  readonly inodes: number;
}

const BLOCK_BYTES = 512;

export class HostMeter implements NodeMeter {
  readonly #options: HostMeterOptions;

  constructor(options: HostMeterOptions) {
    this.#options = options;
  }

  async observe(): Promise<Observations> {
    const { rootDir, imageDir } = this.#options;
    const [meminfo, loadavg, pidMax, nodefs, imagefs] = await Promise.all([
      readFile("/proc/meminfo", "utf8"),
      readFile("/proc/loadavg", "utf8"),
      readFile("/proc/sys/kernel/pid_max", "utf8"),
      statfs(rootDir),
      statfs(imageDir),
    ]);
    return new Map<EvictionSignal, SignalObservation>([
      ["memory.available", parseMemory(meminfo)],
      ["pid.available", parseProcesses(loadavg, pidMax)],
      ["nodefs.available", { available: nodefs.bavail * nodefs.bsize, capacity: nodefs.blocks * nodefs.bsize }],
      ["imagefs.available", { available: imagefs.bavail * imagefs.bsize, capacity: imagefs.blocks * imagefs.bsize }],
      // File systems that make inodes as they need them tell of none.
      ...(nodefs.files > 0 ? [["nodefs.inodesFree", { available: nodefs.ffree, capacity: nodefs.files }] as const] : []),
      ...(imagefs.files > 0 ? [["imagefs.inodesFree", { available: imagefs.ffree, capacity: imagefs.files }] as const] : []),
    ]);
  }

  async podUse(pods: readonly PodObject[], options: { readonly measuresDisk: boolean }): Promise<ReadonlyMap<string, PodUse>> {
    const byUid = Map.groupBy(await this.#options.runtime.usage(), (usage) => usage.podUid);
    const uses = new Map<string, PodUse>();
    for (const pod of pods) uses.set(podUid(pod), await this.#useOf(pod, byUid.get(podUid(pod)) ?? [], options.measuresDisk));
    return uses;
  }

  async #useOf(pod: PodObject, usages: readonly ContainerUsage[], measuresDisk: boolean): Promise<PodUse> {
    const { rootDir } = this.#options;
    const logs = podLogDirectory(this.#options, pod);
    const emptyDirBytes = new Map<string, number>();
    let inodes = 0;
    for (const { name, emptyDir } of measuresDisk ? (pod.spec?.volumes ?? []) : []) {
      if (emptyDir === undefined || (emptyDir.medium ?? "") !== "") continue;
      const used = await diskUse(join(rootDir, "pods", podUid(pod), "volumes/kubernetes.io~empty-dir", name));
      emptyDirBytes.set(name, used.bytes);
      inodes += used.inodes;
    }
    const containers = [];
    for (const { containerName: name, memoryWorkingSetBytes, writableLayerBytes = 0 } of usages) {
      const logBytes = measuresDisk ? (await diskUse(join(logs, name))).bytes : 0;
      containers.push({ name, memoryBytes: memoryWorkingSetBytes, diskBytes: writableLayerBytes + logBytes, logBytes });
    }
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
    return {
      memoryBytes: sum(containers.map(({ memoryBytes }) => memoryBytes)),
      diskBytes: sum(containers.map(({ diskBytes }) => diskBytes)) + sum(emptyDirBytes.values()),
      inodes,
      processes: await this.#options.cgroups.countProcesses(pod),
      containers,
      emptyDirBytes,
    };
  }
}

/** What a directory and all below it take; links are not followed, and what vanishes meanwhile counts as nothing. */
export async function diskUse(path: string): Promise<DiskUse> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return { bytes: 0, inodes: 0 };
  let bytes = stats.blocks * BLOCK_BYTES;
  let inodes = 1;
  const entries: Dirent[] = stats.isDirectory() ? await readdir(path, { withFileTypes: true }).catch(() => []) : [];
  for (const entry of entries) {
    const below = await diskUse(join(path, entry.name));
    bytes += below.bytes;
    inodes += below.inodes;
  }
  return { bytes, inodes };
}

export function parseMemory(meminfo: string): SignalObservation {
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  return { available: kibibytes("MemAvailable") * 1024, capacity: kibibytes("MemTotal") * 1024 };
}

/** `0.1 0.2 0.3 2/345 6789`: the second number of the fourth field counts threads. */
export function parseProcesses(loadavg: string, pidMax: string): SignalObservation {
  const used = Number(/^\S+ \S+ \S+ \d+\/(\d+)/.exec(loadavg)?.[1] ?? 0);
  const capacity = Number(pidMax.trim());
  return { available: capacity - used, capacity };
}
