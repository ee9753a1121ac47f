// Everything that is stored, in memory: loaded once, then fed by nothing but the store's own watch stream, so that every
// server of a cluster sees the same history in the same order.
import type { Clock, Logger } from "../../base/index.ts";
import { CompactedError, type Store, StoreClosedError, type StoreEntry, type StoreEvent } from "../../storage/index.ts";
import { prefixOfKey, ROOT } from "../registry/key.ts";
import { EntryFactory } from "./cache-entry.ts";
import type { EventWindowOptions } from "./event-window.ts";
import { ResourceCache } from "./resource-cache.ts";

export interface WatchCacheOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Freezes objects with all they hold: for tests, so that a mutation throws. */
  readonly deepFreezes?: boolean | undefined;
  readonly window?: Partial<EventWindowOptions> | undefined;
}

const DEFAULT_WINDOW: EventWindowOptions = { capacity: 8192, maxAgeMs: 5 * 60_000, maxBytes: 32 * 2 ** 20, maxReadyBytes: 4 * 2 ** 20 };

/** Between two tries to follow the store again. */
const RETRY_MS = 100;

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

export class WatchCache {
  readonly entries: EntryFactory;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #window: EventWindowOptions;
  readonly #resources = new Map<string, ResourceCache>();
  #appliedRevision = 0;
  #startRevision = 0;
  #waiters: Waiter[] = [];

  constructor({ store, clock, logger, deepFreezes = false, window }: WatchCacheOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#window = { ...DEFAULT_WINDOW, ...window };
    this.entries = new EntryFactory({ deepFreezes });
  }

  /** All writes up to this revision are visible here. */
  get appliedRevision(): number {
    return this.#appliedRevision;
  }

  /** Loads what is stored and follows the store until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { entries, revision } = await this.#store.range(ROOT);
    this.#startRevision = revision;
    this.#appliedRevision = revision;
    for (const stored of entries) this.of(prefixOfKey(stored.key)).load(this.entries.entry(stored));
    void this.#follow(signal);
  }

  /** The cache of the resource whose keys begin with `prefix`. */
  of(prefix: string): ResourceCache {
    let cache = this.#resources.get(prefix);
    if (cache === undefined) {
      cache = new ResourceCache(this.#startRevision, this.#window);
      this.#resources.set(prefix, cache);
    }
    return cache;
  }

  /** Waits until the newest durable write is visible here. */
  async waitForNewest(): Promise<void> {
    const revision = await this.#store.currentRevision();
    if (this.#appliedRevision < revision) await this.#wait(revision);
  }

  /** Waits until `revision` is visible here, at most `limitMs`; answers whether it is. */
  async waitFor(revision: number, limitMs: number): Promise<boolean> {
    if (this.#appliedRevision >= revision) return true;
    let giveUp = (): void => {};
    const isTooLate = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const timer = this.#clock.setTimeout(giveUp, limitMs);
    await Promise.race([this.#wait(revision), isTooLate]);
    timer.cancel();
    return this.#appliedRevision >= revision;
  }

  #wait(revision: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ revision, resolve });
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const batch of this.#store.watch("", { afterRevision: this.#appliedRevision, signal })) this.#apply(batch);
      } catch (error) {
        if (signal.aborted || error instanceof StoreClosedError) return;
        this.#logger.error("the watch cache lost the store's events", { error });
        await this.#clock.sleep(RETRY_MS, signal).catch(() => {});
        if (error instanceof CompactedError) await this.#reload(signal);
      }
    }
  }

  /** Catches up by what is stored now: what changed meanwhile becomes one event for each object. */
  async #reload(signal: AbortSignal): Promise<void> {
    try {
      const { entries, revision } = await this.#store.range(ROOT);
      const atMs = this.#clock.monotonic();
      for (const { key, cache } of this.#missingFrom(entries)) cache.apply(key, revision, undefined, atMs);
      const changed = entries.filter(({ key, modRevision }) => this.of(prefixOfKey(key)).get(key)?.revision !== modRevision);
      for (const entry of changed.sort((a, b) => a.modRevision - b.modRevision)) {
        this.of(prefixOfKey(entry.key)).apply(entry.key, revision, this.entries.entry(entry), atMs);
      }
      this.#appliedRevision = revision;
      this.#wake();
    } catch (error) {
      if (!signal.aborted) this.#logger.error("the watch cache cannot be loaded again", { error });
    }
  }

  #missingFrom(entries: readonly StoreEntry[]): readonly { readonly key: string; readonly cache: ResourceCache }[] {
    const stored = new Set(entries.map(({ key }) => key));
    return [...this.#resources].flatMap(([prefix, cache]) =>
      cache.entries(prefix).flatMap(({ key }) => (stored.has(key) ? [] : [{ key, cache }])),
    );
  }

  #apply(batch: readonly StoreEvent[]): void {
    const atMs = this.#clock.monotonic();
    for (const event of batch) {
      const isPut = event.type === "put";
      const key = isPut ? event.entry.key : event.key;
      const revision = isPut ? event.entry.modRevision : event.revision;
      const prefix = prefixOfKey(key);
      // Set before listeners run: what they send tells of this revision.
      this.#appliedRevision = revision;
      if (prefix !== "") this.of(prefix).apply(key, revision, isPut ? this.entries.entry(event.entry) : undefined, atMs);
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.revision <= this.#appliedRevision) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}
