// Gives a volume to the pod's fsGroup, as kubelet does: the group may read and write, and new files belong to it.
import { chmod, lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

const FILE_BITS = 0o660;
const DIRECTORY_BITS = 0o2770;

/** `onRootMismatch` leaves the volume alone when its root is as it should be. */
export async function giveToGroup(root: string, gid: number, options: { readonly onRootMismatch: boolean }): Promise<void> {
  if (options.onRootMismatch) {
    const { gid: owner, mode } = await lstat(root);
    if (owner === gid && (mode & DIRECTORY_BITS) === DIRECTORY_BITS) return;
  }
  for (const entry of await readdir(root, { recursive: true })) await give(join(root, entry), gid);
  // The root last: it tells that all is done.
  await give(root, gid);
}

async function give(path: string, gid: number): Promise<void> {
  const stats = await lstat(path);
  await lchown(path, stats.uid, gid);
  if (stats.isSymbolicLink()) return;
  await chmod(path, (stats.mode & 0o7777) | (stats.isDirectory() ? DIRECTORY_BITS : FILE_BITS));
}
