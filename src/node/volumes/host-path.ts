// hostPath volumes: what must stand at the path, by the volume's type.
import type { Stats } from "node:fs";
import { chmod, mkdir, open, stat } from "node:fs/promises";

const checks: ReadonlyMap<string, { readonly what: string; readonly holds: (stats: Stats) => boolean }> = new Map([
  ["DirectoryOrCreate", { what: "a directory", holds: (stats: Stats) => stats.isDirectory() }],
  ["Directory", { what: "a directory", holds: (stats: Stats) => stats.isDirectory() }],
  ["FileOrCreate", { what: "a file", holds: (stats: Stats) => stats.isFile() }],
  ["File", { what: "a file", holds: (stats: Stats) => stats.isFile() }],
  ["Socket", { what: "a socket file", holds: (stats: Stats) => stats.isSocket() }],
  ["CharDevice", { what: "a character device", holds: (stats: Stats) => stats.isCharacterDevice() }],
  ["BlockDevice", { what: "a block device", holds: (stats: Stats) => stats.isBlockDevice() }],
]);

/** Makes what the type says to make and rejects with an Error when something else is there. No type checks nothing. */
export async function checkHostPath(path: string, type: string): Promise<void> {
  const check = checks.get(type);
  if (check === undefined) return;
  const present = await stat(path).catch(() => undefined);
  if (present === undefined && type === "DirectoryOrCreate") {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } else if (present === undefined && type === "FileOrCreate") {
    await (await open(path, "a", 0o644)).close();
    await chmod(path, 0o644);
  } else if (present === undefined || !check.holds(present)) {
    throw new Error(`hostPath type check failed: ${path} is not ${check.what}`);
  }
}
