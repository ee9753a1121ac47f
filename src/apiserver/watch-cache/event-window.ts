// The recent events of one resource. Watchers hold a cursor into it; a watcher whose cursor has fallen out must list anew.
import type { CacheEntry } from "./cache-entry.ts";

/** One change: `current` is what stands now (undefined after a deletion), `previous` what stood before. */
export class WatchRecord {
  readonly key: string;
  readonly revision: number;
  readonly current: CacheEntry | undefined;
  readonly previous: CacheEntry | undefined;
  readonly atMs: number;
  #gone: CacheEntry | undefined;

  constructor(change: {
    readonly key: string;
    readonly revision: number;
    readonly current: CacheEntry | undefined;
    readonly previous: CacheEntry | undefined;
    readonly atMs: number;
  }) {
    this.key = change.key;
    this.revision = change.revision;
    this.current = change.current;
    this.previous = change.previous;
    this.atMs = change.atMs;
  }

  /** What a DELETED event carries: the previous state at this revision. Shared by all watchers. */
  get gone(): CacheEntry | undefined {
    this.#gone ??= this.previous?.at(this.revision);
    return this.#gone;
  }
}

export interface EventWindowOptions {
  /** Events kept at most. */
  readonly capacity: number;
  /** Older events go, if they are not among the youngest hundred. */
  readonly maxAgeMs: number;
}

const KEPT_WHATEVER_AGE = 100;

/** Forgotten records are cut off in lots of this size. */
const TRIM_SLACK = 512;

export class EventWindow {
  #records: WatchRecord[] = [];
  /** Where the oldest kept record stands in `#records`. */
  #head = 0;
  /** The cursor of `#records[0]`. */
  #base = 0;
  /** Events up to this revision are gone. */
  #forgottenRevision: number;
  readonly #options: EventWindowOptions;

  constructor(startRevision: number, options: EventWindowOptions) {
    this.#forgottenRevision = startRevision;
    this.#options = options;
  }

  get forgottenRevision(): number {
    return this.#forgottenRevision;
  }

  /** The cursor of the next event to come. */
  get end(): number {
    return this.#base + this.#records.length;
  }

  /** The cursor of the oldest event kept. */
  get start(): number {
    return this.#base + this.#head;
  }

  append(record: WatchRecord): void {
    this.#records.push(record);
    const { capacity, maxAgeMs } = this.#options;
    while (this.#size > capacity || (this.#size > KEPT_WHATEVER_AGE && this.#isOlderThan(record.atMs - maxAgeMs))) this.#forget();
    if (this.#head > TRIM_SLACK) {
      this.#base += this.#head;
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The record at a cursor between `start` and `end`. */
  at(cursor: number): WatchRecord {
    return this.#records[cursor - this.#base] as WatchRecord;
  }

  /** The cursor of the first event younger than `revision`. */
  cursorAfter(revision: number): number {
    let low = this.#head;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#records[middle] as WatchRecord).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#base + low;
  }

  get #size(): number {
    return this.#records.length - this.#head;
  }

  #isOlderThan(atMs: number): boolean {
    return (this.#records[this.#head] as WatchRecord).atMs < atMs;
  }

  #forget(): void {
    this.#forgottenRevision = (this.#records[this.#head] as WatchRecord).revision;
    this.#head++;
  }
}
