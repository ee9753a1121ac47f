// Gives a volume to the pod's fsGroup, as kubelet does: the group may read and write, and new files belong to it.
// Others may be at work in the volume: everything is reached through its opened directory, and no link is followed.
import { constants } from "node:fs";
import { chmod, chown, type FileHandle, lchown, lstat, open, readdir } from "node:fs/promises";

const FILE_BITS = 0o660;
const DIRECTORY_BITS = 0o2770;
/** Opens without touching: devices and pipes too. */
const O_PATH = 0o10000000;

/** `onRootMismatch` leaves the volume alone when its root is as it should be. */
export async function giveToGroup(root: string, gid: number, options: { readonly onRootMismatch: boolean }): Promise<void> {
  if (options.onRootMismatch) {
    const { gid: owner, mode } = await lstat(root);
    if (owner === gid && (mode & DIRECTORY_BITS) === DIRECTORY_BITS) return;
  }
  await give(root, gid);
}

/** A directory after what is in it: the root tells that all is done. */
async function give(path: string, gid: number): Promise<void> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return;
  try {
    await giveOpened(handle, path, gid);
  } finally {
    await handle.close();
  }
}

async function giveOpened(handle: FileHandle, path: string, gid: number): Promise<void> {
  const opened = `/proc/self/fd/${handle.fd}`;
  const stats = await handle.stat();
  if (stats.isSymbolicLink()) {
    await lchown(path, stats.uid, gid);
    return;
  }
  if (stats.isDirectory()) for (const name of await readdir(opened)) await give(`${opened}/${name}`, gid);
  await chown(opened, stats.uid, gid);
  await chmod(opened, (stats.mode & 0o7777) | (stats.isDirectory() ? DIRECTORY_BITS : FILE_BITS));
}
