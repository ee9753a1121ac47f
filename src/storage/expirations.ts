// Which keys expire when: one timer for the earliest of them.
import { type Clock, Heap, type Timer } from "../base/index.ts";

interface Expiration {
  readonly key: string;
  readonly atMs: number;
}

/** Expirations are looked at no more often than this, so that thousands of events do not mean thousands of timers. */
const GRANULARITY_MS = 1000;

export class Expirations {
  readonly #heap = new Heap<Expiration>((a, b) => a.atMs - b.atMs);
  /** The valid expiry of each key; heap items that differ are stale. */
  readonly #expiries = new Map<string, number>();
  readonly #clock: Clock;
  readonly #expire: (keys: string[]) => void;
  #timer: Timer | undefined;

  /** `expire` gets the keys whose time has come. */
  constructor(clock: Clock, expire: (keys: string[]) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  set(key: string, atMs: number): void {
    this.#expiries.set(key, atMs);
    this.#heap.push({ key, atMs });
    this.#schedule();
  }

  has(key: string): boolean {
    return this.#expiries.has(key);
  }

  forget(key: string): void {
    this.#expiries.delete(key);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#expiries.clear();
  }

  #schedule(): void {
    const next = this.#heap.peek();
    if (this.#timer !== undefined || next === undefined) return;
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(GRANULARITY_MS, next.atMs - this.#clock.now()));
  }

  #fire(): void {
    this.#timer = undefined;
    const due: string[] = [];
    for (let next = this.#heap.peek(); next !== undefined && next.atMs <= this.#clock.now(); next = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#expiries.get(next.key) !== next.atMs) continue;
      this.#expiries.delete(next.key);
      due.push(next.key);
    }
    if (due.length > 0) this.#expire(due);
    this.#schedule();
  }
}
