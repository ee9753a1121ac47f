// The cgroup hierarchies of the host, version 1, 2 or both, and removing one of our cgroups from all of them.
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/index.ts";
import { type MountPoint, mountPoints } from "./mounts.ts";

/** How long killed processes may take to leave a cgroup. */
const LEAVE_MS = 5_000;

export interface CgroupHost {
  /** 2 when the controllers hang below the unified hierarchy, else 1. */
  readonly version: 1 | 2;
  readonly controllers: ReadonlySet<string>;
  /** The mount points of all hierarchies. */
  readonly hierarchies: readonly string[];
}

export function cgroupHost(mounts: readonly MountPoint[] = mountPoints()): CgroupHost {
  const v1 = mounts.filter((mount) => mount.fileSystem === "cgroup");
  const v2 = mounts.filter((mount) => mount.fileSystem === "cgroup2");
  const hierarchies = [...v1, ...v2].map((mount) => mount.path);
  const v1Controllers = v1.flatMap((mount) => mount.options).filter((option) => /^[a-z_]+$/.test(option) && option !== "rw");
  if (v1Controllers.length > 0) return { version: 1, controllers: new Set(v1Controllers), hierarchies };
  return { version: 2, controllers: new Set(v2.flatMap((mount) => unifiedControllers(mount.path))), hierarchies };
}

function unifiedControllers(path: string): string[] {
  const file = join(path, "cgroup.controllers");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
}

/** Kills what runs in a cgroup and below, then removes it, in every hierarchy. */
export async function removeCgroup(path: string, clock: Clock): Promise<void> {
  const directories = cgroupHost()
    .hierarchies.map((hierarchy) => join(hierarchy, path))
    .filter((directory) => existsSync(directory));
  const deadline = clock.monotonic() + LEAVE_MS;
  for (let left = directories; ; ) {
    for (const directory of left) killMembers(directory);
    left = left.filter((directory) => !removeTree(directory));
    if (left.length === 0) return;
    if (clock.monotonic() > deadline) throw new Error(`cgroup ${left[0]} cannot be removed, processes stay in it`);
    await clock.sleep(10);
  }
}

function killMembers(directory: string): void {
  for (const child of subdirectories(directory)) killMembers(child);
  for (const pid of readLines(join(directory, "cgroup.procs")).map(Number)) {
    if (pid <= 1 || pid === process.pid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Whether the whole tree is gone. */
function removeTree(directory: string): boolean {
  const areChildrenGone = subdirectories(directory).map(removeTree).every(Boolean);
  if (!areChildrenGone) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return true;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    throw error;
  }
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
