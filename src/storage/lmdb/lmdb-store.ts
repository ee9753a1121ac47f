// The default store: one LMDB file. All writes that wait in one turn become one transaction and share one flush; a write
// is acknowledged, and seen by readers and watchers, only after that.
import { statfsSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import type { Clock } from "../../base/index.ts";
import { KeyExistsError, RevisionConflictError, StoreClosedError, StoreFullError } from "../errors.ts";
import { Expirations } from "../expirations.ts";
import { History } from "../history.ts";
import type { PutOptions, RangeOptions, RangeResult, Store, StoreEntry, StoreEvent, WatchOptions } from "../store.ts";
import { decodeEntry, decodeNumber, ENTRY_VERSION, encodeEntry, encodeNumber } from "./encoding.ts";
import { RecentEntries } from "./recent-entries.ts";

/** What a long read, as at the start, leaves in the file's mapping counts as memory of this process. Beyond so much it is let go of. */
const MAX_MAPPED_BYTES = 16 * 2 ** 20;
/** Address space for the file, which costs nothing. A file that outgrows it is mapped anew, and each mapping counts its pages once more. */
const MAP_BYTES = 2 ** 36;

export interface LmdbStoreOptions {
  /** The data file; its folder must exist. */
  readonly path: string;
  readonly clock: Clock;
}

interface PendingWrite {
  readonly event: StoreEvent;
  readonly expiresAtMs: number | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** With less left than this, a write fails for lack of space. */
const FULL_BYTES = 1 << 20;

export class LmdbStore implements Store {
  readonly #path: string;
  #root: RootDatabase<Buffer, string>;
  #data: Database<Buffer, string>;
  /** Expiry in milliseconds since 1970, by key. */
  #expiries: Database<Buffer, string>;
  #meta: Database<Buffer, string>;
  readonly #clock: Clock;
  readonly #history: History;
  readonly #expirations: Expirations;
  /** What the writes under way will leave under a key (undefined: nothing); later writes are checked against it. */
  readonly #overlay = new Map<string, StoreEntry | undefined>();
  readonly #recent = new RecentEntries();
  /** The revision of the newest write, durable or under way. */
  #revision: number;
  #hasWritten = false;
  #queue: PendingWrite[] = [];
  /** The transactions under way, if any. */
  #flush: Promise<void> | undefined;
  /** Fills the transaction that has begun, at the end of the turn; undefined when none has. */
  #fill: (() => void) | undefined;
  #isClosed = false;

  /** Opens or makes the file; throws when it is not one of ours. */
  constructor({ path, clock }: LmdbStoreOptions) {
    this.#clock = clock;
    this.#path = path;
    ({ root: this.#root, data: this.#data, expiries: this.#expiries, meta: this.#meta } = this.#openFile());
    checkFormat(this.#meta, path);
    const revision = this.#meta.get("revision");
    this.#revision = revision === undefined ? 1 : decodeNumber(revision);
    this.#history = new History({ startRevision: this.#revision });
    this.#expirations = new Expirations(clock, (keys) => this.#removeExpired(keys));
    for (const { key, value } of this.#expiries.getRange()) this.#expirations.set(key, decodeNumber(value));
  }

  async create(key: string, value: Uint8Array, options: PutOptions = {}): Promise<StoreEntry> {
    this.#checkOpen();
    const existing = this.#newest(key);
    if (existing !== undefined) throw new KeyExistsError(key, existing);
    return this.#put(key, value, undefined, options);
  }

  async update(key: string, value: Uint8Array, expectedRevision: number, options: PutOptions = {}): Promise<StoreEntry> {
    return this.#put(key, value, this.#expect(key, expectedRevision), options);
  }

  async delete(key: string, expectedRevision: number): Promise<number> {
    return this.#remove(key, this.#expect(key, expectedRevision));
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#checkOpen();
    return this.#durable(key);
  }

  async range(prefix: string, { revision, limit, after }: RangeOptions = {}): Promise<RangeResult> {
    this.#checkOpen();
    const current = this.#history.revision;
    if (revision !== undefined && revision !== current) return this.#pastRange(prefix, { revision, limit, after });
    const end = endOfPrefix(prefix);
    const start = after !== undefined && after > prefix ? after : prefix;
    const entries: StoreEntry[] = [];
    let bytes = 0;
    let hasMore = false;
    for (const { key, value } of this.#data.getRange({ start, end })) {
      if (key === after) continue;
      if (limit !== undefined && entries.length === limit) {
        hasMore = true;
        break;
      }
      entries.push(decodeEntry(key, value));
      bytes += value.byteLength;
    }
    const last = entries.at(-1)?.key;
    const remaining = hasMore && last !== undefined ? this.#data.getKeysCount({ start: last, end }) - 1 : 0;
    if (bytes > MAX_MAPPED_BYTES) this.#unmap();
    return { entries, revision: current, hasMore, remaining };
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]> {
    this.#checkOpen();
    return this.#history.watch(prefix, options);
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#history.revision;
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    this.#history.compact(revision);
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    const stats = this.#root.getStats() as {
      pageSize?: number;
      root?: { treeBranchPageCount: number };
      mapSize?: number;
      lastPageNumber?: number;
    };
    return (stats.lastPageNumber ?? 0) * (stats.pageSize ?? 4096);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#expirations.close();
    while (this.#flush !== undefined) await this.#flush;
    this.#history.close();
    await this.#root.close();
  }

  #openFile() {
    const options = { noSubdir: true, overlappingSync: false, encoding: "binary", maxDbs: 4, mapSize: MAP_BYTES } as const;
    const root = open<Buffer, string>({ path: this.#path, ...options });
    root.on("beforecommit", () => this.#fill?.());
    const database = (name: string): Database<Buffer, string> => root.openDB({ name, encoding: "binary" });
    return { root, data: database("data"), expiries: database("expiries"), meta: database("meta") };
  }

  /** Lets go of the pages that were read. Only before the first write, for then the file is closed at once. */
  #unmap(): void {
    if (this.#hasWritten) return;
    void this.#root.close();
    ({ root: this.#root, data: this.#data, expiries: this.#expiries, meta: this.#meta } = this.#openFile());
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreClosedError();
  }

  #durable(key: string): StoreEntry | undefined {
    if (this.#recent.has(key)) return this.#recent.get(key);
    const value = this.#data.get(key);
    return value === undefined ? undefined : decodeEntry(key, value);
  }

  /** The entry that a write has to reckon with. */
  #newest(key: string): StoreEntry | undefined {
    return this.#overlay.has(key) ? this.#overlay.get(key) : this.#durable(key);
  }

  #expect(key: string, expectedRevision: number): StoreEntry {
    this.#checkOpen();
    const current = this.#newest(key);
    if (current?.modRevision !== expectedRevision) throw new RevisionConflictError(key, expectedRevision, current);
    return current;
  }

  async #put(key: string, value: Uint8Array, previous: StoreEntry | undefined, { ttlSeconds }: PutOptions): Promise<StoreEntry> {
    const revision = ++this.#revision;
    const entry: StoreEntry = { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision };
    const expiresAtMs = ttlSeconds === undefined ? undefined : this.#clock.now() + ttlSeconds * 1000;
    await this.#enqueue({ type: "put", entry, previous }, expiresAtMs);
    return entry;
  }

  async #remove(key: string, previous: StoreEntry): Promise<number> {
    const revision = ++this.#revision;
    await this.#enqueue({ type: "delete", key, revision, previous }, undefined);
    return revision;
  }

  #enqueue(event: StoreEvent, expiresAtMs: number | undefined): Promise<void> {
    this.#hasWritten = true;
    if (event.type === "put") this.#overlay.set(event.entry.key, event.entry);
    else this.#overlay.set(event.key, undefined);
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, expiresAtMs, resolve, reject });
      this.#flush ??= this.#flushAll();
    });
  }

  /** Commits what is queued, again and again until nothing is. */
  async #flushAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const writes: PendingWrite[] = [];
      try {
        await this.#commit(writes);
        this.#acknowledge(writes);
      } catch (error) {
        this.#abandon(writes, await causeOf(error));
      }
    }
    this.#flush = undefined;
  }

  /** Commits all that is queued when this turn of the event loop ends, and moves it to `writes`. */
  #commit(writes: PendingWrite[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#fill = () => {
        this.#fill = undefined;
        writes.push(...this.#queue);
        this.#queue = [];
        this.#root.batch(() => this.#write(writes)).then(resolve, reject);
      };
      // The first write of a turn begins a transaction, which is started when the turn ends.
      void this.#meta.put("revision", encodeNumber(this.#history.revision));
    });
  }

  #write(writes: readonly PendingWrite[]): void {
    let revision = 0;
    const expiring = new Set<string>();
    for (const { event, expiresAtMs } of writes) {
      const key = event.type === "put" ? event.entry.key : event.key;
      if (event.type === "put") {
        revision = event.entry.modRevision;
        void this.#data.put(key, encodeEntry(event.entry));
      } else {
        revision = event.revision;
        void this.#data.remove(key);
      }
      if (expiresAtMs !== undefined) {
        expiring.add(key);
        void this.#expiries.put(key, encodeNumber(expiresAtMs));
      } else if (expiring.has(key) || this.#expirations.has(key)) void this.#expiries.remove(key);
    }
    void this.#meta.put("revision", encodeNumber(revision));
  }

  #acknowledge(writes: readonly PendingWrite[]): void {
    for (const { event, expiresAtMs } of writes) {
      const key = event.type === "put" ? event.entry.key : event.key;
      const entry = event.type === "put" ? event.entry : undefined;
      if (this.#overlay.get(key) === entry) this.#overlay.delete(key);
      this.#recent.set(key, entry);
      if (expiresAtMs === undefined) this.#expirations.forget(key);
      else this.#expirations.set(key, expiresAtMs);
    }
    this.#history.append(writes.map((write) => write.event));
    for (const write of writes) write.resolve();
  }

  /** A failed transaction leaves the file as it was; writes that built on it fail too. */
  #abandon(writes: readonly PendingWrite[], error: unknown): void {
    const failed = [...writes, ...this.#queue];
    this.#queue = [];
    this.#overlay.clear();
    this.#revision = this.#history.revision;
    const reason = isFull(error, this.#path) ? new StoreFullError(error) : error;
    for (const write of failed) write.reject(reason);
  }

  #removeExpired(keys: readonly string[]): void {
    for (const key of keys) {
      const previous = this.#newest(key);
      if (previous === undefined) continue;
      // A failed removal is tried again when the store is opened next: the expiry is still in the file.
      this.#remove(key, previous).catch(() => {});
    }
  }

  #pastRange(
    prefix: string,
    { revision, limit, after }: { revision: number; limit: number | undefined; after: string | undefined },
  ): RangeResult {
    this.#history.checkRevision(revision);
    const current = Array.from(this.#data.getRange({ start: prefix, end: endOfPrefix(prefix) }), ({ key, value }) =>
      decodeEntry(key, value),
    );
    const entries = this.#history.rewind(current, prefix, revision).filter((entry) => after === undefined || entry.key > after);
    const kept = limit === undefined ? entries : entries.slice(0, limit);
    const remaining = entries.length - kept.length;
    return { entries: kept, revision, hasMore: remaining > 0, remaining };
  }
}

/** The first key behind all that start with `prefix`. */
function endOfPrefix(prefix: string): string {
  return `${prefix}\uffff`;
}

/**
 * Whether this is the reason of a promise that is left to nobody when a transaction fails: of each write in it, and of lmdb's own.
 * Who wrote is told by the store, so a process that lives on need not end for it.
 */
export function isFailedCommit(reason: unknown): boolean {
  return reason instanceof Error && "commitError" in reason;
}

/** Why a transaction failed, which lmdb tells by a promise beside. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> };
  return commitError === undefined ? error : await commitError.catch((cause: unknown) => cause);
}

/** A write that is cut short for lack of space is an I/O error to LMDB. */
function isFull(error: unknown, path: string): boolean {
  if (!(error instanceof Error)) return false;
  if (/MDB_MAP_FULL|No space left|ENOSPC/.test(error.message)) return true;
  const { bavail, bsize } = statfsSync(path);
  return /Input\/output error/.test(error.message) && bavail * bsize < FULL_BYTES;
}

function checkFormat(meta: Database<Buffer, string>, path: string): void {
  const format = meta.get("format");
  if (format === undefined) meta.putSync("format", encodeNumber(ENTRY_VERSION));
  else if (decodeNumber(format) !== ENTRY_VERSION)
    throw new Error(`${path} was written in format ${decodeNumber(format)}, this version reads ${ENTRY_VERSION}`);
}
