// The recent events of one resource. Watchers hold a cursor into it; a watcher whose cursor has fallen out must list anew.
// Only the youngest events keep what was decoded and encoded for watchers; the others shrink to their stored bytes.
import type { CacheEntry } from "./cache-entry.ts";

/** One change: `current` is what stands now (undefined after a deletion), `previous` what stood before. */
export class WatchRecord {
  readonly key: string;
  readonly revision: number;
  readonly current: CacheEntry | undefined;
  readonly previous: CacheEntry | undefined;
  readonly atMs: number;
  #gone: CacheEntry | undefined;
  #change: object = {};

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

  /** The stored bytes that the record alone may hold. */
  get bytes(): number {
    return (this.current ?? this.previous)?.value.byteLength ?? 0;
  }

  /** With it is kept what is made of the record for all its watchers. */
  get change(): object {
    return this.#change;
  }

  /** Lets go of what can be made again from the stored bytes. */
  shrink(): void {
    this.previous?.release();
    this.#gone = undefined;
    this.#change = {};
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
  /** Older events go beyond this many stored bytes, if they are not among the youngest hundred. */
  readonly maxBytes: number;
  /** Events beyond this many stored bytes shrink. Watchers that keep up do not see them any more. */
  readonly maxReadyBytes: number;
  /** Older events go, if they are not among the youngest hundred. */
  readonly maxAgeMs: number;
}

/** As many stay however old or large they are. */
const MIN_KEPT = 100;

/** Forgotten records are cut off in lots of this size. */
const TRIM_SLACK = 512;

export class EventWindow {
  #records: WatchRecord[] = [];
  /** Where the oldest kept record stands in `#records`. */
  #head = 0;
  /** The cursor of `#records[0]`. */
  #base = 0;
  /** Stored bytes of all kept records, and of those that are not shrunk. */
  #bytes = 0;
  #readyBytes = 0;
  /** The cursor of the oldest record that is not shrunk. */
  #ready = 0;
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
    this.#bytes += record.bytes;
    this.#readyBytes += record.bytes;
    const { capacity, maxAgeMs, maxBytes, maxReadyBytes } = this.#options;
    while (this.#ready < this.end - 1 && this.#readyBytes > maxReadyBytes) this.#shrinkOne();
    const isStale = () => this.#bytes > maxBytes || this.#isOlderThan(record.atMs - maxAgeMs);
    while (this.#size > capacity || (this.#size > MIN_KEPT && isStale())) this.#forget();
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

  #shrinkOne(): void {
    const record = this.at(this.#ready++);
    this.#readyBytes -= record.bytes;
    record.shrink();
  }

  #forget(): void {
    const record = this.#records[this.#head] as WatchRecord;
    if (this.#ready === this.start) this.#shrinkOne();
    // Late watchers may have made anew what the record had let go.
    else record.shrink();
    this.#bytes -= record.bytes;
    this.#forgottenRevision = record.revision;
    this.#head++;
  }
}
