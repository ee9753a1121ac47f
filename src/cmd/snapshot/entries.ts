// The store's entries as lines of text, in a snapshot.
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { CopiedEntry } from "../../storage/index.ts";
import { SnapshotError } from "./archive.ts";

/** No key of the API is nearly as long; the embedded store takes none that are much longer. */
const MAX_KEY_BYTES = 1024;

/** Writes a line for each entry; answers how many. */
export async function writeEntries(target: Writable, entries: Iterable<CopiedEntry> | AsyncIterable<CopiedEntry>): Promise<number> {
  let count = 0;
  for await (const { key, value, createRevision, modRevision, expiresAtMs } of entries) {
    const line = { key, value: Buffer.from(value).toString("base64"), createRevision, modRevision, expiresAtMs };
    if (!target.write(`${JSON.stringify(line)}\n`)) await once(target, "drain");
    count++;
  }
  return count;
}

/** @throws SnapshotError for a line that is no entry. */
export async function* parseEntries(lines: AsyncIterable<string>): AsyncIterable<CopiedEntry> {
  for await (const line of lines) {
    if (line === "") continue;
    const { key, value, createRevision, modRevision, expiresAtMs } = parseLine(line);
    const isKey = typeof key === "string" && key.startsWith("/") && Buffer.byteLength(key) <= MAX_KEY_BYTES;
    if (!isKey || typeof value !== "string" || !isRevision(createRevision) || !isRevision(modRevision))
      throw new SnapshotError("a line of the store is no entry");
    if (expiresAtMs !== undefined && typeof expiresAtMs !== "number") throw new SnapshotError(`${key} has no end that can be read`);
    yield { key, value: Buffer.from(value, "base64"), createRevision, modRevision, expiresAtMs };
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(line) as object | null) };
  } catch (cause) {
    throw new SnapshotError("a line of the store cannot be read", { cause });
  }
}

function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
