// The kernel's two kinds of control group file systems behind one interface: make a group, limit it, remove it.
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { kill } from "node:process";
import type { GroupLimits } from "./pod-limits.ts";

/** The few file operations; the machine's are `diskCgroups`. */
export interface CgroupFiles {
  /** The text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  write(path: string, text: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDirectory(path: string): Promise<void>;
  /** Names of the directories in `path`; none when it is missing. */
  directories(path: string): Promise<readonly string[]>;
  /** Kills a process; harmless when there is none. */
  kill(pid: number): void;
}

export interface Hierarchy {
  /** Makes a group and those above it; harmless when it is there. */
  make(group: string): Promise<void>;
  limit(group: string, limits: GroupLimits): Promise<void>;
  /** Removes a group and those below it; harmless when it is gone. */
  remove(group: string): Promise<void>;
  /** Kills all that is in a group and those below it. */
  kill(group: string): Promise<void>;
  /** How many processes and threads are in a group and those below it; 0 when it is gone. */
  processes(group: string): Promise<number>;
  /** Names of the groups right below. */
  children(group: string): Promise<readonly string[]>;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

export const diskCgroups: CgroupFiles = {
  read: async (path) => {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  },
  write: (path, text) => writeFile(path, text),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true });
  },
  removeDirectory: async (path) => {
    try {
      await rmdir(path);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  },
  directories: async (path) => {
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
      throw error;
    }
  },
  kill: (pid) => {
    try {
      kill(pid, "SIGKILL");
    } catch (error) {
      if (!hasCode(error, "ESRCH")) throw error;
    }
  },
};

/** The hierarchy mounted at `mountPoint`. */
export async function detectHierarchy(files: CgroupFiles, mountPoint = "/sys/fs/cgroup"): Promise<Hierarchy> {
  const unified = await files.read(`${mountPoint}/cgroup.controllers`);
  return unified === undefined ? new HierarchyV1(files, mountPoint) : new HierarchyV2(files, mountPoint);
}

async function removeTree(files: CgroupFiles, path: string): Promise<void> {
  for (const name of await files.directories(path)) await removeTree(files, `${path}/${name}`);
  await files.removeDirectory(path);
}

async function killTree(files: CgroupFiles, path: string): Promise<void> {
  for (const name of await files.directories(path)) await killTree(files, `${path}/${name}`);
  const pids = (await files.read(`${path}/cgroup.procs`)) ?? "";
  for (const pid of pids.split("\n").map(Number)) if (pid > 0) files.kill(pid);
}

/** One tree a controller, hybrid systems included. The agent makes groups where it sets limits; the runtime makes the rest. */
class HierarchyV1 implements Hierarchy {
  readonly #files: CgroupFiles;
  readonly #mountPoint: string;

  constructor(files: CgroupFiles, mountPoint: string) {
    this.#files = files;
    this.#mountPoint = mountPoint;
  }

  async make(group: string): Promise<void> {
    const mounted = await this.#files.directories(this.#mountPoint);
    for (const controller of ["cpu", "memory", "pids"]) {
      if (mounted.includes(controller)) await this.#files.makeDirectory(`${this.#mountPoint}/${controller}${group}`);
    }
  }

  async limit(group: string, limits: GroupLimits): Promise<void> {
    const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, pidsLimit } = limits;
    await this.#files.write(`${this.#mountPoint}/cpu${group}/cpu.shares`, String(cpuShares));
    if (cpuPeriodUs !== undefined) await this.#files.write(`${this.#mountPoint}/cpu${group}/cpu.cfs_period_us`, String(cpuPeriodUs));
    if (cpuQuotaUs !== undefined) await this.#files.write(`${this.#mountPoint}/cpu${group}/cpu.cfs_quota_us`, String(cpuQuotaUs));
    if (memoryLimitBytes !== undefined) {
      await this.#files.write(`${this.#mountPoint}/memory${group}/memory.limit_in_bytes`, String(memoryLimitBytes));
    }
    if (pidsLimit !== undefined) await this.#files.write(`${this.#mountPoint}/pids${group}/pids.max`, String(pidsLimit));
  }

  async remove(group: string): Promise<void> {
    for (const tree of await this.#files.directories(this.#mountPoint))
      await removeTree(this.#files, `${this.#mountPoint}/${tree}${group}`);
  }

  kill(group: string): Promise<void> {
    return killTree(this.#files, `${this.#mountPoint}/pids${group}`);
  }

  async processes(group: string): Promise<number> {
    return Number((await this.#files.read(`${this.#mountPoint}/pids${group}/pids.current`)) ?? 0);
  }

  children(group: string): Promise<readonly string[]> {
    return this.#files.directories(`${this.#mountPoint}/memory${group}`);
  }
}

/** One tree; a controller works in a group only when all groups above pass it on. */
class HierarchyV2 implements Hierarchy {
  readonly #files: CgroupFiles;
  readonly #mountPoint: string;

  constructor(files: CgroupFiles, mountPoint: string) {
    this.#files = files;
    this.#mountPoint = mountPoint;
  }

  async make(group: string): Promise<void> {
    let path = this.#mountPoint;
    for (const name of group.split("/").filter((part) => part !== "")) {
      await this.#passOn(path);
      path = `${path}/${name}`;
      await this.#files.makeDirectory(path);
    }
    await this.#passOn(path);
  }

  /** A group that holds processes cannot pass controllers on; then the limits below it are refused, and said so there. */
  async #passOn(path: string): Promise<void> {
    const available = ((await this.#files.read(`${path}/cgroup.controllers`)) ?? "").trim().split(/\s+/);
    const enabled = ((await this.#files.read(`${path}/cgroup.subtree_control`)) ?? "").trim().split(/\s+/);
    for (const controller of ["cpu", "cpuset", "memory", "pids", "io"]) {
      if (!available.includes(controller) || enabled.includes(controller)) continue;
      await this.#files.write(`${path}/cgroup.subtree_control`, `+${controller}`).catch((error: unknown) => {
        if (!hasCode(error, "EBUSY", "EINVAL", "EOPNOTSUPP", "ENOTSUP")) throw error;
      });
    }
  }

  async limit(group: string, limits: GroupLimits): Promise<void> {
    const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, pidsLimit } = limits;
    // The kernel's scale of weights for the range of shares.
    const weight = 1 + Math.floor(((cpuShares - 2) * 9999) / 262_142);
    await this.#files.write(`${this.#mountPoint}${group}/cpu.weight`, String(weight));
    if (cpuQuotaUs !== undefined) await this.#files.write(`${this.#mountPoint}${group}/cpu.max`, `${cpuQuotaUs} ${cpuPeriodUs ?? 100_000}`);
    if (memoryLimitBytes !== undefined) await this.#files.write(`${this.#mountPoint}${group}/memory.max`, String(memoryLimitBytes));
    if (pidsLimit !== undefined) await this.#files.write(`${this.#mountPoint}${group}/pids.max`, String(pidsLimit));
  }

  remove(group: string): Promise<void> {
    return removeTree(this.#files, `${this.#mountPoint}${group}`);
  }

  kill(group: string): Promise<void> {
    return killTree(this.#files, `${this.#mountPoint}${group}`);
  }

  async processes(group: string): Promise<number> {
    return Number((await this.#files.read(`${this.#mountPoint}${group}/pids.current`)) ?? 0);
  }

  children(group: string): Promise<readonly string[]> {
    return this.#files.directories(`${this.#mountPoint}${group}`);
  }
}
