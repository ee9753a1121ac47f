// A token bucket: so many at once, then so many a second.
import type { Clock } from "../base/index.ts";

export interface TokenBucketOptions {
  /** Tokens that come back each second. */
  readonly qps: number;
  /** Tokens at the start and at most. */
  readonly burst: number;
}

export class TokenBucket {
  /** May be negative: tokens promised to those who wait. */
  #tokens: number;
  #lastMs: number;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #options: TokenBucketOptions;

  constructor(clock: Pick<Clock, "monotonic">, options: TokenBucketOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#tokens = options.burst;
    this.#lastMs = clock.monotonic();
  }

  /** Takes a token if one is there. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes a token, perhaps one of the future, and answers after how many milliseconds it may be used. */
  reserve(): number {
    this.#refill();
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#options.qps) * 1000;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(this.#options.burst, this.#tokens + ((nowMs - this.#lastMs) / 1000) * this.#options.qps);
    this.#lastMs = nowMs;
  }
}
