// A snapshot's archive: a tar with the cluster's shape, its certificates and keys, and everything that it keeps. The last entry,
// `snapshot.json`, has the digests of all others. What an archive says is believed only as far as it was checked.
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";
import { PRIVATE_FILE } from "../system/files.ts";

/** An archive that is not whole, or not a snapshot; the message says what is wrong. */
export class SnapshotError extends Error {
  readonly code = "SNAPSHOT";
}

export interface Manifest {
  readonly version: 1;
  /** RFC 3339. */
  readonly takenAt: string;
  /** The store's revision. */
  readonly revision: number;
  /** How many objects. */
  readonly count: number;
  /** SHA-256 in hex, by the names of the entries. */
  readonly digests: Readonly<Record<string, string>>;
}

export const MANIFEST = "snapshot.json";
export const CLUSTER = "cluster.json";
export const STORE = "store.jsonl";
const NAMES = /^(snapshot\.json|cluster\.json|store\.jsonl|pki\/[a-z0-9][a-z0-9.-]*)$/;
/** Everything but the store is small. */
const MAX_SMALL_BYTES = 1024 * 1024;

export interface ArchiveContent {
  /** By their names in the archive: `cluster.json`, `pki/…`. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The file whose lines are the store's entries. */
  readonly storeFile: string;
  readonly manifest: Omit<Manifest, "version" | "digests">;
}

/** Writes beside its place and moves it there when it is whole. */
export async function writeArchive(path: string, { files, storeFile, manifest }: ArchiveContent): Promise<void> {
  const archive = pack();
  const digests: Record<string, string> = {};
  const partial = `${path}.partial`;
  const written = pipeline(archive, createWriteStream(partial, { mode: PRIVATE_FILE, flush: true }));
  // Whatever fails below is told below; the file has nothing to add.
  written.catch(() => {});
  try {
    for (const [name, content] of files) {
      digests[name] = digestOf(content);
      archive.entry({ name, mode: PRIVATE_FILE }, content);
    }
    const hash = createHash("sha256");
    const entry = archive.entry({ name: STORE, size: statSync(storeFile).size, mode: PRIVATE_FILE });
    await pipeline(
      createReadStream(storeFile).on("data", (chunk) => hash.update(chunk)),
      entry,
    );
    digests[STORE] = hash.digest("hex");
    archive.entry({ name: MANIFEST, mode: PRIVATE_FILE }, JSON.stringify({ version: 1, ...manifest, digests }, undefined, 2));
    archive.finalize();
    await written;
    renameSync(partial, path);
  } catch (error) {
    archive.destroy();
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Takes the store's lines as they come, and answers the other files. */
export type StoreSink = (content: Readable) => Promise<void>;

export interface CheckedArchive {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * Reads an archive and checks its digests. What `takeStore` was given is to be believed only when this resolves.
 * @throws SnapshotError
 */
export async function readArchive(path: string, takeStore: StoreSink): Promise<CheckedArchive> {
  const files = new Map<string, Buffer>();
  const digests = new Map<string, string>();
  const entries = extract();
  const reading = pipeline(createReadStream(path), entries);
  reading.catch(() => {});
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== "file" || !NAMES.test(name) || digests.has(name))
        throw new SnapshotError(`${path} is no snapshot: it has an entry "${name}"`);
      const hash = createHash("sha256");
      const content = hashed(entry as AsyncIterable<Buffer>, hash);
      if (name === STORE) await takeStore(Readable.from(content));
      else files.set(name, await readSmall(content, name));
      digests.set(name, hash.digest("hex"));
    }
    await reading;
  } catch (error) {
    throw error instanceof SnapshotError
      ? error
      : new SnapshotError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return { manifest: checkDigests(path, files, digests), files };
}

async function* hashed(content: AsyncIterable<Buffer>, hash: Hash): AsyncIterable<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

async function readSmall(content: AsyncIterable<Buffer>, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > MAX_SMALL_BYTES) throw new SnapshotError(`"${name}" is too large`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function checkDigests(path: string, files: ReadonlyMap<string, Buffer>, digests: ReadonlyMap<string, string>): Manifest {
  const text = files.get(MANIFEST)?.toString();
  if (text === undefined) throw new SnapshotError(`${path} is cut off: it has no ${MANIFEST}`);
  const manifest = parsedIn(path, MANIFEST, text);
  if (manifest["version"] !== 1) throw new SnapshotError(`${path} was written by another version of k8ts`);
  if (!isManifest(manifest)) throw new SnapshotError(`${path} is damaged: "${MANIFEST}" is none`);
  for (const [name, digest] of Object.entries(manifest.digests)) {
    if (digests.get(name) !== digest) throw new SnapshotError(`${path} is damaged: "${name}" is not what was saved`);
  }
  for (const name of digests.keys()) {
    if (name !== MANIFEST && manifest.digests[name] === undefined)
      throw new SnapshotError(`${path} is damaged: "${name}" was not saved with it`);
  }
  for (const name of [CLUSTER, STORE]) if (!digests.has(name)) throw new SnapshotError(`${path} is damaged: it has no ${name}`);
  return manifest;
}

function isManifest(value: object): value is Manifest {
  const { takenAt, revision, count, digests } = value as Partial<Record<keyof Manifest, unknown>>;
  const areNumbers = [revision, count].every((number) => Number.isSafeInteger(number));
  return typeof takenAt === "string" && areNumbers && typeof digests === "object" && digests !== null;
}

/**
 * The object that is a file of the archive at `path`.
 * @throws SnapshotError when it is none
 */
export function parsedIn(path: string, name: string, text: string): Readonly<Record<string, unknown>> {
  const damaged = (cause?: unknown) => new SnapshotError(`${path} is damaged: "${name}" cannot be read`, { cause });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw damaged(cause);
  }
  throw damaged();
}

function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
