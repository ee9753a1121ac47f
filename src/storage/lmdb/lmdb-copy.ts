// Reads an LMDB store's file as of one moment while another process writes to it, and makes a new file of what was read.
import { existsSync } from "node:fs";
import { open } from "lmdb";
import type { StoreEntry } from "../store.ts";
import { decodeEntry, decodeNumber, ENTRY_VERSION, encodeEntry, encodeNumber } from "./encoding.ts";

export interface CopiedEntry extends StoreEntry {
  /** Milliseconds since 1970; undefined for keys that stay. */
  readonly expiresAtMs?: number | undefined;
}

export interface LmdbCopy {
  readonly revision: number;
  /** In order of keys; to be read before `close`. */
  readonly entries: Iterable<CopiedEntry>;
  close(): Promise<void>;
}

/** Writes held back at a time. */
const BATCH_SIZE = 1_000;

/** Everything in the file at `path`, revisions too. Throws when there is none, or one of another kind. */
export function readLmdbFile(path: string): LmdbCopy {
  if (!existsSync(path)) throw new Error(`there is no store at ${path}`);
  const root = open<Buffer, string>({ path, noSubdir: true, encoding: "binary", maxDbs: 4, readOnly: true });
  const [data, expiries, meta] = ["data", "expiries", "meta"].map((name) => root.openDB<Buffer, string>({ name, encoding: "binary" }));
  if (data === undefined || expiries === undefined || meta === undefined) throw new Error(`${path} is no store`);
  const transaction = root.useReadTransaction();
  const format = meta.get("format", { transaction });
  if (format === undefined || decodeNumber(format) !== ENTRY_VERSION) throw new Error(`${path} is no store of this version`);
  const revision = meta.get("revision", { transaction });
  return {
    revision: revision === undefined ? 1 : decodeNumber(revision),
    entries: data.getRange({ transaction }).map(({ key, value }) => {
      const expiry = expiries.get(key, { transaction });
      return { ...decodeEntry(key, Buffer.from(value)), expiresAtMs: expiry === undefined ? undefined : decodeNumber(expiry) };
    }),
    close: async () => {
      transaction.done();
      await root.close();
    },
  };
}

/** Makes the file at `path`, which must not exist, with all revisions as they were; resolves when it is on disk. */
export async function writeLmdbFile(path: string, revision: number, entries: AsyncIterable<CopiedEntry>): Promise<void> {
  if (existsSync(path)) throw new Error(`there is a store at ${path} already`);
  const root = open<Buffer, string>({ path, noSubdir: true, overlappingSync: false, encoding: "binary", maxDbs: 4 });
  const [data, expiries, meta] = ["data", "expiries", "meta"].map((name) => root.openDB<Buffer, string>({ name, encoding: "binary" }));
  try {
    let pending: Promise<boolean>[] = [];
    for await (const entry of entries) {
      if (data !== undefined) pending.push(data.put(entry.key, encodeEntry(entry)));
      if (expiries !== undefined && entry.expiresAtMs !== undefined) pending.push(expiries.put(entry.key, encodeNumber(entry.expiresAtMs)));
      if (pending.length < BATCH_SIZE) continue;
      await Promise.all(pending);
      pending = [];
    }
    await Promise.all([...pending, meta?.put("format", encodeNumber(ENTRY_VERSION)), meta?.put("revision", encodeNumber(revision))]);
    await root.flushed;
  } finally {
    await root.close();
  }
}
