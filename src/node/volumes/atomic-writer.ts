// Writes a set of files so that a reader sees the old set or the new one, never a mixture: the files stand in a
// directory with a time in its name, `..data` links to it, and what readers open links through `..data`.
import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, nameSuffix, type Random } from "../../base/index.ts";

export interface PayloadFile {
  readonly data: Uint8Array;
  readonly mode: number;
  /** Default: the agent's user. */
  readonly uid?: number | undefined;
}

/** Files by their path relative to the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface AtomicWriterOptions {
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
}

const DATA_LINK = "..data";
const NEW_DATA_LINK = "..data_tmp";
const OWN_DIRECTORY = /^\.\.\d{4}_[\d_]+\.\w+$/;

export class AtomicWriter {
  readonly #options: AtomicWriterOptions;

  constructor(options: AtomicWriterOptions) {
    this.#options = options;
  }

  /** Makes `directory` hold exactly `payload`; answers whether anything changed. `fsGroup` will own the files. */
  async write(directory: string, payload: Payload, fsGroup?: number): Promise<boolean> {
    // 1. What is there now.
    const link = await readlink(join(directory, DATA_LINK)).catch(() => undefined);
    // Nothing but a directory that a writer made: whoever could change the link must not lead us elsewhere.
    const oldName = link !== undefined && OWN_DIRECTORY.test(link) ? link : undefined;
    if (oldName !== undefined && (await isSame(join(directory, oldName), payload))) return false;
    // 2. The new files, in a directory of their own.
    const newName = `..${directoryTime(this.#options.clock.now())}.${nameSuffix(this.#options.random, 10)}`;
    await writeFiles(join(directory, newName), payload, fsGroup);
    // 3. The switch.
    await rm(join(directory, NEW_DATA_LINK), { force: true });
    await symlink(newName, join(directory, NEW_DATA_LINK));
    await rename(join(directory, NEW_DATA_LINK), join(directory, DATA_LINK));
    // 4. Names that readers use: new ones appear, stale ones go.
    const wanted = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? path));
    for (const name of await readdir(directory)) {
      if (name.startsWith("..")) continue;
      if (!wanted.delete(name)) await rm(join(directory, name), { force: true });
    }
    for (const name of wanted) await symlink(join(DATA_LINK, name), join(directory, name));
    // 5. The old files.
    if (oldName !== undefined) await rm(join(directory, oldName), { recursive: true, force: true });
    return true;
  }
}

/** `2026_01_02_03_04_05`, as kubelet names these directories. */
function directoryTime(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:T]/g, "_");
}

async function writeFiles(root: string, payload: Payload, fsGroup: number | undefined): Promise<void> {
  const directories = new Set([root]);
  for (const path of payload.keys()) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) directories.add(join(root, parent));
  }
  for (const directory of [...directories].sort((a, b) => a.length - b.length)) {
    await mkdir(directory, { recursive: true });
    await own(directory, fsGroup === undefined ? 0o755 : 0o2775, undefined, fsGroup);
  }
  for (const [path, { data, mode, uid }] of payload) {
    await writeFile(join(root, path), data);
    await own(join(root, path), fsGroup === undefined ? mode : mode | 0o440, uid, fsGroup);
  }
}

async function own(path: string, mode: number, uid: number | undefined, gid: number | undefined): Promise<void> {
  if (uid !== undefined || gid !== undefined) {
    const now = await stat(path);
    await chown(path, uid ?? now.uid, gid ?? now.gid);
  }
  // After chown, which clears the setgid bit.
  await chmod(path, mode);
}

async function isSame(root: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, { data }] of payload) {
    const present = await readFile(join(root, path)).catch(() => undefined);
    if (present === undefined || !present.equals(data)) return false;
  }
  return true;
}
