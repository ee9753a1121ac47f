// Compiles what the processes of a cluster will run into Node's compile cache before they start. A process that finds all
// of it there does without the TypeScript compiler, which is tens of megabytes for as long as the process lives.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { flushCompileCache, getCompileCacheDir } from "node:module";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../..");

/** Does nothing when these sources were compiled before, or when there is no cache. */
export async function ensureCompiled(cacheDirectory = getCompileCacheDir()): Promise<void> {
  if (cacheDirectory === undefined) return;
  const stamp = join(cacheDirectory, `k8ts-${fingerprint(SOURCES)}`);
  if (existsSync(stamp)) return;
  await Promise.all([import("../server/main.ts"), import("../agent/main.ts"), import("../hollow/main.ts")]);
  flushCompileCache();
  try {
    writeFileSync(stamp, "");
  } catch {
    // A cache that nobody may write to: the next time is like this one.
  }
}

/** Tells other sources: files that are replaced, added or removed change their folder's time. */
export function fingerprint(directory: string): string {
  const hash = createHash("sha256").update(directory);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(entry.parentPath, entry.name);
    hash.update(`${folder} ${statSync(folder).mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
