// Opens a path inside a volume so that nothing in the volume can lead out of it, also while we look: every component
// is opened without following links, from the directory opened before it.
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

/** Where an open file of ours can be reached, whatever happens to its name. */
export function handlePath(handle: FileHandle, pid: number): string {
  return `/proc/${pid}/fd/${handle.fd}`;
}

/** The file or directory at `subPath` in `volume`; directories are made where nothing is. The caller closes it. */
export async function openSubPath(volume: string, subPath: string): Promise<FileHandle> {
  if (subPath.startsWith("/") || subPath.split("/").includes("..")) throw new Error(`subPath "${subPath}" must stay within the volume`);
  const root = await realpath(volume);
  // Links inside the volume are allowed when they lead to somewhere in it.
  const wanted = await resolveExisting(join(root, subPath));
  const inside = relative(root, wanted);
  if (inside === ".." || inside.startsWith(`..${sep}`)) throw new Error(`subPath "${subPath}" leads out of the volume`);
  let handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const name of inside.split(sep).filter((part) => part !== "")) {
    const parent = handle;
    try {
      handle = await openIn(parent, name);
    } finally {
      await parent.close();
    }
  }
  return handle;
}

/** The real path of the part that exists, with the rest behind it. */
async function resolveExisting(path: string): Promise<string> {
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (real !== undefined) return real;
  const parent = await resolveExisting(dirname(path));
  return join(parent, path.slice(dirname(path).length));
}

const O_PATH = 0o10000000;

async function openIn(parent: FileHandle, name: string): Promise<FileHandle> {
  const path = `/proc/self/fd/${parent.fd}/${name}`;
  try {
    return await openNoFollow(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await mkdir(path, 0o750);
  await chmod(path, 0o750);
  return await openNoFollow(path);
}

async function openNoFollow(path: string): Promise<FileHandle> {
  // O_PATH opens sockets and devices without touching them; of a link it would open the link itself.
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  if ((await handle.stat()).isSymbolicLink()) {
    await handle.close();
    throw new Error(`${path.slice(path.lastIndexOf("/") + 1)} became a symbolic link`);
  }
  return handle;
}
