// Exponential back-off per key.
import type { Clock } from "./clock.ts";

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** A key that has been quiet for this long starts again at `initialMs`. Default: twice `maxMs`. */
  readonly resetAfterMs?: number;
}

/** Delays that double per key from `initialMs` up to `maxMs`. */
export class Backoff<K> {
  readonly #entries = new Map<K, { delayMs: number; lastMs: number }>();
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #options: BackoffOptions;

  constructor(clock: Pick<Clock, "monotonic">, options: BackoffOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Counts one more failure of `key` and answers how long to wait. */
  next(key: K): number {
    const nowMs = this.#clock.monotonic();
    const entry = this.#entries.get(key);
    const resetAfterMs = this.#options.resetAfterMs ?? 2 * this.#options.maxMs;
    const isFresh = entry === undefined || nowMs - entry.lastMs > resetAfterMs;
    const delayMs = isFresh ? this.#options.initialMs : Math.min(entry.delayMs * 2, this.#options.maxMs);
    this.#entries.set(key, { delayMs, lastMs: nowMs });
    return delayMs;
  }

  /** The delay that `next` answered last, 0 when there is none. */
  current(key: K): number {
    return this.#entries.get(key)?.delayMs ?? 0;
  }

  reset(key: K): void {
    this.#entries.delete(key);
  }
}
