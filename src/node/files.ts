// The few file operations of the node agent's core, so that tests and simulated nodes need no disk.
import { constants } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

export interface NodeFiles {
  /** The text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /** Names of the files in a directory; none when it is missing. */
  list(directory: string): Promise<readonly string[]>;
  /** The last `limitBytes` of a file; undefined when there is none. */
  readTail(path: string, limitBytes: number): Promise<string | undefined>;
  /** Writes a file, and the directories above it. */
  write(path: string, text: string, mode: number): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Removes a file or a tree; harmless when it is gone. */
  remove(path: string): Promise<void>;
}

/** Whether a path, `..` in it and all, is of something inside the directory. */
export function isBelow(directory: string, path: string): boolean {
  return resolve(path).startsWith(`${resolve(directory)}/`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readTail(path: string, limitBytes: number): Promise<string> {
  // These files are where containers have a hand in: a link in their place is not followed.
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { size } = await file.stat();
  const length = Math.min(size, limitBytes);
  const buffer = Buffer.alloc(length);
  await file.read(buffer, 0, length, size - length);
  return buffer.toString("utf8");
}

/** The machine's disk. */
export const diskFiles: NodeFiles = {
  read: (path) => unlessMissing(readFile(path, "utf8")),
  list: async (directory) => (await unlessMissing(readdir(directory))) ?? [],
  readTail: (path, limitBytes) => unlessMissing(readTail(path, limitBytes)),
  write: async (path, text, mode) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await writeFile(path, text, { mode });
    // Of the mode given to writeFile the process's umask takes bits away.
    await chmod(path, mode);
  },
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o755 });
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** No disk: what was written can be read again. For simulated nodes and tests. */
export class MemoryFiles implements NodeFiles {
  readonly #texts = new Map<string, string>();

  async read(path: string): Promise<string | undefined> {
    return this.#texts.get(path);
  }

  async list(directory: string): Promise<readonly string[]> {
    const below = [...this.#texts.keys()].filter((path) => path.startsWith(`${directory}/`));
    return [...new Set(below.map((path) => path.slice(directory.length + 1).split("/", 1)[0] ?? ""))];
  }

  async readTail(path: string, limitBytes: number): Promise<string | undefined> {
    return this.#texts.get(path)?.slice(-limitBytes);
  }

  async write(path: string, text: string): Promise<void> {
    this.#texts.set(path, text);
  }

  async makeDirectory(): Promise<void> {}

  async remove(path: string): Promise<void> {
    for (const other of this.#texts.keys()) if (other === path || other.startsWith(`${path}/`)) this.#texts.delete(other);
  }
}
