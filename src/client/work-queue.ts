// The queue between informers and reconciles: a key is never worked on twice at once, never lost, and queued once
// however often it is added. Keys are compared as Map keys are: use strings.
import { type Clock, Heap, type Timer } from "../base/index.ts";
import type { Queue } from "./informer-types.ts";
import { ControllerRateLimiter, type RateLimiter, type RateLimiterOptions } from "./rate-limiter.ts";

export interface WorkQueueOptions<K> {
  readonly clock: Pick<Clock, "monotonic" | "setTimeout">;
  /** Default: 5 ms doubling to 1 000 s for each key, and 10 a second (100 at once) for all. */
  readonly rateLimiter?: RateLimiter<K> | RateLimiterOptions;
}

interface DelayedKey<K> {
  readonly key: K;
  readonly readyAtMs: number;
}

/** @see client-go `util/workqueue/{queue,delaying_queue,rate_limiting_queue}.go` */
export class WorkQueue<K> implements Queue<K> {
  /** Keys to hand out, in order, from `#head` on. Each is in `#dirty` and not in `#processing`. */
  #queued: K[] = [];
  #head = 0;
  /** Keys that need work. Those also in `#processing` are queued by `done`. */
  readonly #dirty = new Set<K>();
  /** Keys handed out and not `done`. */
  readonly #processing = new Set<K>();
  /** Workers that wait; not empty only while nothing is queued. */
  readonly #waiters = new Set<(key: K | undefined) => void>();
  /** Keys to add later; an entry that `#delayedByKey` does not point to is void. */
  readonly #delayed = new Heap<DelayedKey<K>>((a, b) => a.readyAtMs - b.readyAtMs);
  readonly #delayedByKey = new Map<K, DelayedKey<K>>();
  /** The one timer, set for the head of `#delayed`. */
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #isShutDown = false;
  readonly #clock: Pick<Clock, "monotonic" | "setTimeout">;
  readonly #rateLimiter: RateLimiter<K>;

  constructor(options: WorkQueueOptions<K>) {
    this.#clock = options.clock;
    const limiter = options.rateLimiter ?? {};
    this.#rateLimiter = "next" in limiter ? limiter : new ControllerRateLimiter(options.clock, limiter);
  }

  /** Keys ready to be handed out. */
  get length(): number {
    return this.#queued.length - this.#head;
  }

  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  /** Marks `key` as needing work. */
  add(key: K): void {
    if (this.#isShutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Adds `key` after `delayMs`; of several delays of a key the earliest counts. */
  addAfter(key: K, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const readyAtMs = this.#clock.monotonic() + delayMs;
    const present = this.#delayedByKey.get(key);
    if (present !== undefined && present.readyAtMs <= readyAtMs) return;
    const delayed = { key, readyAtMs };
    this.#delayedByKey.set(key, delayed);
    this.#delayed.push(delayed);
    this.#setTimer();
  }

  /** Adds `key` after the delay that its failures have earned. */
  addRateLimited(key: K): void {
    this.addAfter(key, this.#rateLimiter.next(key));
  }

  /** Ends the count of `key`'s failures; it does not touch what is queued. */
  forget(key: K): void {
    this.#rateLimiter.forget(key);
  }

  failures(key: K): number {
    return this.#rateLimiter.failures(key);
  }

  /** The next key, which the caller must give to `done`; undefined when the queue is shut down and empty, or the signal aborts. */
  get(signal?: AbortSignal): Promise<K | undefined> {
    if (signal?.aborted === true) return Promise.resolve(undefined);
    if (this.length > 0) return Promise.resolve(this.#take());
    if (this.#isShutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiter = (key: K | undefined) => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", onAbort);
        resolve(key);
      };
      const onAbort = () => waiter(undefined);
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Ends the work on `key`; it is queued again if it was added meanwhile. */
  done(key: K): void {
    if (this.#processing.delete(key) && this.#dirty.has(key)) this.#enqueue(key);
  }

  /** Takes no more keys; what is queued is still handed out, what waits for its time is dropped. */
  shutDown(): void {
    this.#isShutDown = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#delayedByKey.clear();
    for (const waiter of [...this.#waiters]) waiter(undefined);
  }

  #enqueue(key: K): void {
    this.#queued.push(key);
    const [waiter] = this.#waiters;
    if (waiter !== undefined) waiter(this.#take());
  }

  #take(): K {
    const key = this.#queued[this.#head++] as K;
    if (this.#head > 1024 && this.#head * 2 > this.#queued.length) {
      this.#queued = this.#queued.slice(this.#head);
      this.#head = 0;
    }
    this.#processing.add(key);
    this.#dirty.delete(key);
    return key;
  }

  #setTimer(): void {
    const next = this.#delayed.peek();
    if (next === undefined || (this.#timer !== undefined && this.#timer.atMs <= next.readyAtMs)) return;
    this.#timer?.timer.cancel();
    const fire = () => {
      this.#timer = undefined;
      this.#addReady();
    };
    this.#timer = { atMs: next.readyAtMs, timer: this.#clock.setTimeout(fire, Math.max(0, next.readyAtMs - this.#clock.monotonic())) };
  }

  #addReady(): void {
    const nowMs = this.#clock.monotonic();
    for (let next = this.#delayed.peek(); next !== undefined; next = this.#delayed.peek()) {
      const isVoid = this.#delayedByKey.get(next.key) !== next;
      if (!isVoid && next.readyAtMs > nowMs) break;
      this.#delayed.pop();
      if (isVoid) continue;
      this.#delayedByKey.delete(next.key);
      this.add(next.key);
    }
    this.#setTimer();
  }
}
