// All objects of one resource as of the last applied event, in order of their keys, and the recent events.
import { SortedMap } from "../../base/index.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { EventWindow, type EventWindowOptions, WatchRecord } from "./event-window.ts";

/** Told of every record as it is appended; called synchronously. */
export type RecordListener = (record: WatchRecord, cursor: number) => void;

export class ResourceCache {
  readonly window: EventWindow;
  /** The revision of the newest event of this resource (or that of the first load). */
  lastRevision: number;
  #bytes = 0;
  readonly #entries = new SortedMap<CacheEntry>();
  readonly #listeners = new Set<RecordListener>();
  /** What `entries` answered since the last change, by prefix: many lists of an unchanged resource share one array. */
  readonly #snapshots = new Map<string, readonly CacheEntry[]>();

  constructor(startRevision: number, options: EventWindowOptions) {
    this.window = new EventWindow(startRevision, options);
    this.lastRevision = startRevision;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The stored bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  /** Entries whose keys start with `prefix`, behind `after`, in order of keys: the same array until something changes. */
  entries(prefix: string, after?: string): readonly CacheEntry[] {
    const known = after === undefined ? this.#snapshots.get(prefix) : undefined;
    if (known !== undefined) return known;
    const entries: CacheEntry[] = [];
    for (const [, entry] of this.#entries.entries(prefix, after)) entries.push(entry);
    if (after === undefined) this.#snapshots.set(prefix, entries);
    return entries;
  }

  /** The first `limit` of what `entries` answers (0: all), and how many more there are. */
  page(prefix: string, limit: number, after?: string): { readonly entries: readonly CacheEntry[]; readonly remaining: number } {
    const count = limit <= 0 ? 0 : this.#entries.count(prefix, after);
    if (count <= limit) return { entries: this.entries(prefix, after), remaining: 0 };
    const entries = Array.from(this.#entries.entries(prefix, after).take(limit), ([, entry]) => entry);
    return { entries, remaining: count - limit };
  }

  /** Takes an entry of the first load, which is no event. */
  load(entry: CacheEntry): void {
    this.#bytes += entry.value.byteLength;
    this.#entries.set(entry.key, entry);
    this.#snapshots.clear();
  }

  apply(key: string, revision: number, current: CacheEntry | undefined, atMs: number): void {
    const previous = this.#entries.get(key);
    this.#bytes += (current?.value.byteLength ?? 0) - (previous?.value.byteLength ?? 0);
    if (current === undefined) this.#entries.delete(key);
    else this.#entries.set(key, current);
    this.#snapshots.clear();
    this.lastRevision = revision;
    const record = new WatchRecord({ key, revision, current, previous, atMs });
    const cursor = this.window.end;
    this.window.append(record);
    for (const listener of this.#listeners) listener(record, cursor);
  }

  /** Answers how to stop listening. */
  listen(listener: RecordListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
