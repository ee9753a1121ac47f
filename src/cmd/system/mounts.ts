// The mount table, and unmounting all of a directory.
import { readFileSync } from "node:fs";
import { tryCommand } from "./command.ts";

export interface MountPoint {
  readonly path: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
}

/** This process's mounts, in the order of their making. */
export function mountPoints(table = readFileSync("/proc/self/mountinfo", "utf8")): MountPoint[] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const tail = fields.slice(fields.indexOf("-") + 1);
      return { path: unescapePath(fields[4] ?? ""), fileSystem: tail[0] ?? "", options: (tail[2] ?? "").split(",") };
    });
}

function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mount points at or below a directory, the last made first. */
export function mountsBelow(directory: string): string[] {
  return mountPoints()
    .map((mount) => mount.path)
    .filter((path) => path === directory || path.startsWith(`${directory}/`))
    .reverse();
}

/** Detaches every mount at or below a directory; one in use goes away with its last user. */
export async function unmountBelow(directory: string): Promise<void> {
  const paths = mountsBelow(directory);
  for (let start = 0; start < paths.length; start += 100) await tryCommand(["umount", "-l", ...paths.slice(start, start + 100)]);
}
