// The recent past of a store, kept in memory: what watches are served from, and what a range at an older revision undoes.
import { CompactedError, FutureRevisionError, StoreClosedError } from "./errors.ts";
import type { StoreEntry, StoreEvent, WatchOptions } from "./store.ts";

export interface HistoryOptions {
  /** The revision from which events are known. */
  readonly startRevision: number;
  /** Older events are forgotten beyond this number. Default 100 000. */
  readonly maxEvents?: number;
  /** Older events are forgotten beyond this many bytes of values, those before each event included. Default 64 MiB. */
  readonly maxBytes?: number;
}

interface Waiter {
  readonly prefix: string;
  readonly wake: () => void;
}

/** How many forgotten events may lead the array before it is cut. */
const TRIM_SLACK = 4096;

export class History {
  /** Events in order of revision; those before `#first` are forgotten. */
  #events: StoreEvent[] = [];
  #first = 0;
  #bytes = 0;
  #revision: number;
  /** Events up to this revision are gone. */
  #compactedRevision: number;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #waiters = new Set<Waiter>();
  #isClosed = false;

  constructor({ startRevision, maxEvents = 100_000, maxBytes = 64 * 2 ** 20 }: HistoryOptions) {
    this.#revision = startRevision;
    this.#compactedRevision = startRevision;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The revision of the newest event. */
  get revision(): number {
    return this.#revision;
  }

  /** Adds events in order of their revisions and wakes the watches that they concern. */
  append(events: readonly StoreEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += eventBytes(event);
      this.#revision = eventRevision(event);
    }
    while (this.#events.length - this.#first > this.#maxEvents || this.#bytes > this.#maxBytes) this.#forgetFirst();
    this.#trim();
    for (const waiter of this.#waiters) {
      if (events.some((event) => eventKey(event).startsWith(waiter.prefix))) waiter.wake();
    }
  }

  compact(revision: number): void {
    while (this.#first < this.#events.length && eventRevision(this.#events[this.#first] as StoreEvent) <= revision) this.#forgetFirst();
    this.#compactedRevision = Math.max(this.#compactedRevision, Math.min(revision, this.#revision));
    this.#trim();
  }

  /** Forgets everything, for events up to `revision` were missed: watches that began before it end with CompactedError. */
  skipTo(revision: number): void {
    this.#events = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#revision = Math.max(this.#revision, revision);
    this.#compactedRevision = this.#revision;
    for (const waiter of this.#waiters) waiter.wake();
  }

  /** Throws unless the state as of `revision` can be told. */
  checkRevision(revision: number): void {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compactedRevision) throw new CompactedError(revision, this.#compactedRevision);
  }

  /** Turns `entries`, the current ones below `prefix`, into those of `revision`; in order of keys. */
  rewind(entries: readonly StoreEntry[], prefix: string, revision: number): StoreEntry[] {
    const state = new Map(entries.map((entry) => [entry.key, entry]));
    for (let i = this.#events.length - 1; i >= this.#first; i--) {
      const event = this.#events[i] as StoreEvent;
      if (eventRevision(event) <= revision) break;
      const key = eventKey(event);
      if (!key.startsWith(prefix)) continue;
      if (event.previous === undefined) state.delete(key);
      else state.set(key, event.previous);
    }
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async *watch(prefix: string, { afterRevision, signal }: WatchOptions): AsyncGenerator<readonly StoreEvent[]> {
    let seen = afterRevision ?? this.#revision;
    if (seen > this.#revision) throw new FutureRevisionError(seen, this.#revision);
    while (!signal.aborted) {
      if (this.#isClosed) throw new StoreClosedError();
      if (seen < this.#compactedRevision) throw new CompactedError(seen, this.#compactedRevision);
      const batch = this.#eventsAfter(seen, prefix);
      seen = this.#revision;
      if (batch.length > 0) yield batch;
      else await this.#nextAppend(prefix, signal, seen);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiters) waiter.wake();
  }

  #eventsAfter(revision: number, prefix: string): StoreEvent[] {
    return this.#events.slice(this.#indexAfter(revision)).filter((event) => eventKey(event).startsWith(prefix));
  }

  /** The first index whose event is younger than `revision`. */
  #indexAfter(revision: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (eventRevision(this.#events[middle] as StoreEvent) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #nextAppend(prefix: string, signal: AbortSignal, seen: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const waiter: Waiter = { prefix, wake };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", wake, { once: true });
      if (signal.aborted || this.#isClosed || this.#revision > seen) wake();
    });
  }

  #forgetFirst(): void {
    const event = this.#events[this.#first] as StoreEvent;
    this.#bytes -= eventBytes(event);
    this.#compactedRevision = eventRevision(event);
    this.#first++;
  }

  #trim(): void {
    if (this.#first < TRIM_SLACK) return;
    this.#events = this.#events.slice(this.#first);
    this.#first = 0;
  }
}

function eventKey(event: StoreEvent): string {
  return event.type === "put" ? event.entry.key : event.key;
}

export function eventRevision(event: StoreEvent): number {
  return event.type === "put" ? event.entry.modRevision : event.revision;
}

function eventBytes(event: StoreEvent): number {
  const previous = event.previous?.value.length ?? 0;
  return event.type === "put" ? event.entry.value.length + previous : previous;
}
