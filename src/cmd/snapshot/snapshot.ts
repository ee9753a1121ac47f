// `k8ts snapshot`: saves a cluster as one file while it runs, checks such a file, and makes a cluster of it again.
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Clock, silentLogger, timestamp } from "../../base/index.ts";
import {
  type CopiedEntry,
  EncryptingStore,
  type EncryptionRule,
  type LmdbCopy,
  readLmdbFile,
  type Store,
  type StoreEntry,
  writeLmdbFile,
} from "../../storage/index.ts";
import { type ClusterSpec, DEFAULT_SPEC, specProblems } from "../config/cluster.ts";
import type { Layout } from "../config/layout.ts";
import { parseEncryptionConfiguration } from "../server/encryption.ts";
import { DATA_FILE, openSealedStore } from "../server/open-store.ts";
import { PRIVATE_DIRECTORY, writePrivate } from "../system/files.ts";
import { CLUSTER, MANIFEST, type Manifest, parsedIn, readArchive, SnapshotError, writeArchive } from "./archive.ts";
import { parseEntries, writeEntries } from "./entries.ts";

const ENCRYPTION = "pki/encryption.yaml";
const PAGE_SIZE = 500;

export interface Saved {
  readonly count: number;
  readonly revision: number;
}

/** Saves the cluster whose files `layout` names; it may run meanwhile. Values stay sealed; the keys are in the archive too. */
export async function saveSnapshot(
  path: string,
  { layout, spec, clock }: { layout: Layout; spec: ClusterSpec; clock: Clock },
): Promise<Saved> {
  const storeFile = `${path}.store`;
  try {
    const output = createWriteStream(storeFile, { mode: 0o600 });
    const source = spec.etcd === undefined ? readLmdbFile(join(layout.serverData, DATA_FILE)) : await readEtcd(spec, layout, clock);
    const count = await writeEntries(output, source.entries).finally(() => source.close());
    output.end();
    await finished(output);
    const manifest = { takenAt: timestamp(clock), revision: source.revision, count };
    await writeArchive(path, { files: filesOf(layout), storeFile, manifest });
    return manifest;
  } finally {
    rmSync(storeFile, { force: true });
  }
}

type EntrySource = Pick<LmdbCopy, "revision" | "close"> & { readonly entries: Iterable<CopiedEntry> | AsyncIterable<CopiedEntry> };

async function readEtcd(spec: ClusterSpec, layout: Layout, clock: Clock): Promise<EntrySource> {
  const config = { dataDirectory: layout.serverData, ...(spec.etcd === undefined ? {} : { etcd: spec.etcd }) };
  const store = await openSealedStore(config, { clock, logger: silentLogger });
  const revision = await store.currentRevision();
  return { revision, entries: allEntries(store, revision), close: () => store.close() };
}

async function* allEntries(store: Store, revision: number): AsyncIterable<StoreEntry> {
  for (let after: string | undefined; ; ) {
    const page = await store.range("/", { revision, limit: PAGE_SIZE, ...(after === undefined ? {} : { after }) });
    yield* page.entries;
    after = page.entries.at(-1)?.key;
    if (!page.hasMore || after === undefined) return;
  }
}

function filesOf({ clusterFile, pki }: Layout): ReadonlyMap<string, Buffer> {
  const names = readdirSync(pki).sort();
  return new Map([[CLUSTER, readFileSync(clusterFile)], ...names.map((name) => [`pki/${name}`, readFileSync(join(pki, name))] as const)]);
}

/**
 * Reads all of a snapshot, also what is encrypted in it, without making anything of it.
 * @throws SnapshotError
 */
export async function verifySnapshot(path: string): Promise<Manifest> {
  const entries: CopiedEntry[] = [];
  const { manifest, files } = await readArchive(path, async (content) => {
    for await (const entry of parseEntries(linesOf(content))) entries.push(entry);
  });
  checkSpec(path, files);
  if (entries.length !== manifest.count) throw new SnapshotError(`${path} has ${entries.length} objects, ${manifest.count} were saved`);
  await openAll(entries, files);
  return manifest;
}

/** Opens every value with the keys of the snapshot itself. */
async function openAll(entries: readonly CopiedEntry[], files: ReadonlyMap<string, Buffer>): Promise<void> {
  const rules = encryptionOf(files);
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const store = new EncryptingStore({ get: async (key: string) => byKey.get(key) } as unknown as Store, rules);
  for (const { key } of entries) {
    const value = (
      await store.get(key).catch((cause: Error) => {
        throw new SnapshotError(cause.message, { cause });
      })
    )?.value;
    try {
      JSON.parse(Buffer.from(value ?? []).toString());
    } catch (cause) {
      throw new SnapshotError(`${key} is no object`, { cause });
    }
  }
}

/**
 * Makes the data directory of a cluster that the next `up` brings up; the directory must hold none.
 * The objects are in the embedded store, whatever kept them before.
 * @throws SnapshotError
 */
export async function restoreSnapshot(path: string, layout: Layout): Promise<Manifest> {
  const { dataDirectory } = layout;
  if (existsSync(layout.clusterFile)) throw new SnapshotError(`there is a cluster in ${dataDirectory}: take it down first with k8ts down`);
  if (existsSync(dataDirectory) && readdirSync(dataDirectory).length > 0) throw new SnapshotError(`${dataDirectory} is not empty`);
  const manifest = await verifySnapshot(path);
  const directory = `${dataDirectory}.restoring`;
  rmSync(directory, { recursive: true, force: true });
  const place = (file: string) => join(directory, file.slice(dataDirectory.length + 1));
  try {
    mkdirSync(place(layout.serverData), { recursive: true, mode: PRIVATE_DIRECTORY });
    const target = join(place(layout.serverData), DATA_FILE);
    const { files } = await readArchive(path, (content) => writeLmdbFile(target, manifest.revision, parseEntries(linesOf(content))));
    for (const [name, content] of files) if (name !== MANIFEST && name !== CLUSTER) writePrivate(join(directory, name), content);
    const { etcd: _, ...spec } = checkSpec(path, files);
    writePrivate(place(layout.clusterFile), `${JSON.stringify(spec, undefined, 2)}\n`);
    mkdirSync(dirname(dataDirectory), { recursive: true });
    rmSync(dataDirectory, { recursive: true, force: true });
    renameSync(directory, dataDirectory);
    return manifest;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function encryptionOf(files: ReadonlyMap<string, Buffer>): EncryptionRule[] {
  try {
    return parseEncryptionConfiguration(files.get(ENCRYPTION)?.toString() ?? "", randomBytes);
  } catch (cause) {
    throw new SnapshotError(`the snapshot's ${ENCRYPTION} cannot be followed: ${(cause as Error).message}`, { cause });
  }
}

function checkSpec(path: string, files: ReadonlyMap<string, Buffer>): ClusterSpec {
  const given = parsedIn(path, CLUSTER, files.get(CLUSTER)?.toString() ?? "{}");
  const spec = { ...DEFAULT_SPEC, ...given };
  const isAsUsual = Object.entries(DEFAULT_SPEC).every(([key, usual]) => {
    const value = spec[key as keyof ClusterSpec];
    return typeof value === typeof usual && Array.isArray(value) === Array.isArray(usual);
  });
  const [problem] = isAsUsual ? specProblems(spec) : ["its fields are not of their types"];
  if (problem !== undefined) throw new SnapshotError(`the snapshot's cluster is none: ${problem}`);
  return spec;
}

function linesOf(content: Readable): AsyncIterable<string> {
  return createInterface({ input: content, crlfDelay: Number.POSITIVE_INFINITY });
}
