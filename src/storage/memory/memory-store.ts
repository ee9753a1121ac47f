// A store that keeps everything in memory and loses it with the process: for tests, simulations and forks.
import { type Clock, SortedMap } from "../../base/index.ts";
import { KeyExistsError, RevisionConflictError, StoreClosedError } from "../errors.ts";
import { Expirations } from "../expirations.ts";
import { History } from "../history.ts";
import type { PutOptions, RangeOptions, RangeResult, Store, StoreEntry, StoreEvent, WatchOptions } from "../store.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
}

export class MemoryStore implements Store {
  readonly #entries = new SortedMap<StoreEntry>();
  readonly #history = new History({ startRevision: 1 });
  readonly #expirations: Expirations;
  readonly #clock: Clock;
  #isClosed = false;

  constructor({ clock }: MemoryStoreOptions) {
    this.#clock = clock;
    this.#expirations = new Expirations(clock, (keys) => {
      for (const key of keys) this.#remove(key);
    });
  }

  async create(key: string, value: Uint8Array, options: PutOptions = {}): Promise<StoreEntry> {
    this.#checkOpen();
    const existing = this.#entries.get(key);
    if (existing !== undefined) throw new KeyExistsError(key, existing);
    return this.#put(key, value, undefined, options);
  }

  async update(key: string, value: Uint8Array, expectedRevision: number, options: PutOptions = {}): Promise<StoreEntry> {
    return this.#put(key, value, this.#expect(key, expectedRevision), options);
  }

  async delete(key: string, expectedRevision: number): Promise<number> {
    this.#expect(key, expectedRevision);
    this.#remove(key);
    return this.#history.revision;
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#checkOpen();
    return this.#entries.get(key);
  }

  async range(prefix: string, { revision, limit, after }: RangeOptions = {}): Promise<RangeResult> {
    this.#checkOpen();
    const current = this.#history.revision;
    let entries: StoreEntry[];
    if (revision === undefined || revision === current) {
      entries = Array.from(this.#entries.entries(prefix, after), ([, entry]) => entry);
    } else {
      this.#history.checkRevision(revision);
      const all = Array.from(this.#entries.entries(prefix), ([, entry]) => entry);
      entries = this.#history.rewind(all, prefix, revision).filter((entry) => after === undefined || entry.key > after);
    }
    const kept = limit === undefined ? entries : entries.slice(0, limit);
    const remaining = entries.length - kept.length;
    return { entries: kept, revision: revision ?? current, hasMore: remaining > 0, remaining };
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
    return 0;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#expirations.close();
    this.#history.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreClosedError();
  }

  #expect(key: string, expectedRevision: number): StoreEntry {
    this.#checkOpen();
    const current = this.#entries.get(key);
    if (current?.modRevision !== expectedRevision) throw new RevisionConflictError(key, expectedRevision, current);
    return current;
  }

  #put(key: string, value: Uint8Array, previous: StoreEntry | undefined, { ttlSeconds }: PutOptions): StoreEntry {
    const revision = this.#history.revision + 1;
    const entry: StoreEntry = { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision };
    this.#entries.set(key, entry);
    if (ttlSeconds === undefined) this.#expirations.forget(key);
    else this.#expirations.set(key, this.#clock.now() + ttlSeconds * 1000);
    this.#history.append([{ type: "put", entry, previous }]);
    return entry;
  }

  #remove(key: string): void {
    const previous = this.#entries.get(key);
    if (previous === undefined) return;
    this.#entries.delete(key);
    this.#expirations.forget(key);
    this.#history.append([{ type: "delete", key, revision: this.#history.revision + 1, previous }]);
  }
}
