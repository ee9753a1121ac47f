// Files that only root reads, written so that a crash leaves the old or the new content, never half of it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export const PRIVATE_FILE = 0o600;
export const PRIVATE_DIRECTORY = 0o700;

/** Writes mode 0600 below directories of mode 0700; keeps the file untouched when it says the same already. */
export function writePrivate(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
  if (readIfExists(path)?.equals(bytes) === true) return;
  makePrivateDirectory(dirname(path));
  writeFileSync(`${path}.new`, bytes, { mode: PRIVATE_FILE, flush: true });
  renameSync(`${path}.new`, path);
}

export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_DIRECTORY });
}

export function readIfExists(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A JSON file's content; undefined when there is no file. */
export function readJson<T>(path: string): T | undefined {
  const bytes = readIfExists(path);
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as T);
}
