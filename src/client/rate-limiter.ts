// How long a failed key waits: the longer of its own exponential delay and a token bucket shared by all keys.
import type { Clock } from "../base/index.ts";
import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

export interface RateLimiterOptions {
  /** Delay after a key's first failure; doubles with each further one. Default 5 ms. */
  readonly initialDelayMs?: number;
  /** Default 1 000 s. */
  readonly maxDelayMs?: number;
  /** Limits all keys together. Default 10 a second, 100 at once; `false` for none. */
  readonly bucket?: TokenBucketOptions | false;
}

/** Decides how long a key waits before it is tried again. */
export interface RateLimiter<K> {
  /** Counts a failure of `key` and answers its delay in milliseconds. */
  next(key: K): number;
  /** Ends the count of `key`. */
  forget(key: K): void;
  /** How often `key` has failed since it was forgotten. */
  failures(key: K): number;
}

/** @see client-go `util/workqueue/default_rate_limiters.go`, DefaultTypedControllerRateLimiter */
export class ControllerRateLimiter<K> implements RateLimiter<K> {
  readonly #failures = new Map<K, number>();
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #bucket: TokenBucket | undefined;

  constructor(clock: Pick<Clock, "monotonic">, options: RateLimiterOptions = {}) {
    this.#initialDelayMs = options.initialDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000;
    this.#bucket = options.bucket === false ? undefined : new TokenBucket(clock, options.bucket ?? { qps: 10, burst: 100 });
  }

  next(key: K): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ownDelayMs = Math.min(this.#initialDelayMs * 2 ** failures, this.#maxDelayMs);
    return Math.max(ownDelayMs, this.#bucket?.reserve() ?? 0);
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }

  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }
}
