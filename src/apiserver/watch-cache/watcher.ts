// One watch: a cursor into a resource's window and what it wants to see. It has no queue of its own.
import type { StoredWatchEvent } from "../../api/index.ts";
import type { Clock, Timer } from "../../base/index.ts";
import { expired } from "../../machinery/index.ts";
import type { CacheEntry } from "./cache-entry.ts";
import type { WatchRecord } from "./event-window.ts";
import type { ResourceCache } from "./resource-cache.ts";

export interface WatcherOptions {
  readonly cache: ResourceCache;
  readonly clock: Pick<Clock, "setTimeout">;
  /** Only keys that begin so. */
  readonly prefix: string;
  /** Absent: everything matches. */
  readonly matches?: ((entry: CacheEntry) => boolean) | undefined;
  /** Waited for before `matches` judges the record's entries, when it needs to know something that takes time. */
  readonly prepare?: ((record: WatchRecord) => Promise<unknown>) | undefined;
  /** Events of this revision and before are not sent. */
  readonly afterRevision: number;
  /** Sent first. */
  readonly initial: readonly StoredWatchEvent[];
  /** Sends bookmarks, with what this answers as their revision. */
  readonly bookmarkRevision?: (() => number) | undefined;
  readonly bookmarkEveryMs: number;
  readonly timeoutMs: number;
  /** See `WatchOptions.wake`. */
  readonly wake: (go: () => void) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Events handed over at once at most, so that a late watcher does not hold up the others. */
const MAX_BATCH = 500;

type Batch = readonly StoredWatchEvent[];

const END: IteratorResult<Batch, undefined> = { done: true, value: undefined };

/** Batches of events, one after the other. Written out, as a generator would cost more than the events. */
export class Watcher implements AsyncIterableIterator<Batch, undefined> {
  readonly #options: WatcherOptions;
  /** The next record to look at. */
  #cursor: number;
  /** Set while waiting for something to happen. */
  #resume: (() => void) | undefined;
  /** Set from the first `next` to the end. */
  #stop: (() => void) | undefined;
  #isDone = false;
  #isBookmarkDue = false;
  #bookmarkTimer: Timer | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#cursor = options.cache.window.cursorAfter(options.afterRevision);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Batch, undefined>> {
    const { cache, prepare, initial } = this.#options;
    if (this.#stop === undefined && !this.#isDone) {
      this.#stop = this.#start();
      if (initial.length > 0) return { done: false, value: initial };
    }
    try {
      while (!this.#isDone) {
        const end = prepare === undefined ? cache.window.end : await this.#prepare(prepare);
        if (this.#cursor < cache.window.start) return this.#fail();
        const batch = this.#drain(end);
        if (batch.length > 0) return { done: false, value: batch };
        if (this.#cursor >= cache.window.end) await this.#nextChange();
      }
    } catch (error) {
      void this.return();
      throw error;
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    this.#isDone = true;
    this.#stop?.();
    this.#stop = undefined;
    return END;
  }

  /** Begins to listen; answers how to let go of everything. */
  #start(): () => void {
    const { cache, clock, timeoutMs, signal } = this.#options;
    const finish = () => {
      this.#isDone = true;
      this.#goOn();
    };
    const stopListening = cache.listen((record, cursor) => this.#offer(record, cursor));
    const timer = clock.setTimeout(finish, timeoutMs);
    signal?.addEventListener("abort", finish, { once: true });
    if (signal?.aborted === true) finish();
    this.#scheduleBookmark();
    return () => {
      stopListening();
      timer.cancel();
      this.#bookmarkTimer?.cancel();
      signal?.removeEventListener("abort", finish);
    };
  }

  /** The last batch of a watch that was too slow. */
  #fail(): IteratorResult<Batch, undefined> {
    this.#isDone = true;
    return { done: false, value: [{ type: "ERROR", status: expired("too old resource version: the watch was too slow").status }] };
  }

  /** Prepares a batch of records; answers up to where they can be judged, for more may come while it waits. */
  async #prepare(prepare: NonNullable<WatcherOptions["prepare"]>): Promise<number> {
    const { prefix, cache } = this.#options;
    const first = Math.max(this.#cursor, cache.window.start);
    const end = Math.min(first + MAX_BATCH, cache.window.end);
    const records = Array.from({ length: end - first }, (_, index) => cache.window.at(first + index));
    await Promise.all(records.filter(({ key }) => key.startsWith(prefix)).map(prepare));
    return end;
  }

  #drain(end: number): StoredWatchEvent[] {
    const { window } = this.#options.cache;
    const batch: StoredWatchEvent[] = [];
    while (this.#cursor < end && batch.length < MAX_BATCH) {
      const event = this.#eventOf(window.at(this.#cursor++));
      if (event !== undefined) batch.push(event);
    }
    if (this.#isBookmarkDue && this.#cursor === window.end) {
      this.#isBookmarkDue = false;
      const revision = this.#options.bookmarkRevision?.() ?? 0;
      batch.push({ type: "BOOKMARK", resourceVersion: String(revision), isInitialEventsEnd: false });
    }
    return batch;
  }

  /** A waiting watcher passes over what does not concern it, so that its cursor never falls behind. */
  #offer(record: WatchRecord, cursor: number): void {
    if (this.#resume === undefined || cursor !== this.#cursor) return;
    // What is not prepared yet cannot be judged here.
    if (this.#options.prepare === undefined && this.#eventOf(record) === undefined) this.#cursor++;
    else this.#goOn();
  }

  #goOn(): void {
    const resume = this.#resume;
    // What happens before its turn needs no other.
    this.#resume = undefined;
    if (resume !== undefined) this.#options.wake(resume);
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
      if (this.#isDone || this.#isBookmarkDue) this.#goOn();
    });
  }

  /** What the record means to this watch: an object that begins to match was added, one that ceases to match is gone. */
  #eventOf(record: WatchRecord): StoredWatchEvent | undefined {
    const { prefix, matches, afterRevision } = this.#options;
    if (record.revision <= afterRevision || !record.key.startsWith(prefix)) return undefined;
    const { current, previous, change } = record;
    const matchesNow = current !== undefined && (matches === undefined || matches(current));
    const matchedBefore = previous !== undefined && (matches === undefined || matches(previous));
    if (matchesNow) return { type: matchedBefore ? "MODIFIED" : "ADDED", stored: current, change };
    return matchedBefore && record.gone !== undefined ? { type: "DELETED", stored: record.gone, change } : undefined;
  }

  #scheduleBookmark(): void {
    const { bookmarkRevision, bookmarkEveryMs, clock } = this.#options;
    if (bookmarkRevision === undefined) return;
    this.#bookmarkTimer = clock.setTimeout(() => {
      this.#isBookmarkDue = true;
      this.#scheduleBookmark();
      this.#goOn();
    }, bookmarkEveryMs);
  }
}
