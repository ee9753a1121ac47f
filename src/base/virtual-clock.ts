// A clock that stands still until it is told to move: timers fire in order of their time, then of their making.

import { type Clock, sleepWith, type Timer } from "./clock.ts";
import { Heap } from "./heap.ts";

interface PendingTimer {
  readonly atMs: number;
  readonly sequence: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #timers = new Heap<PendingTimer>((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);

  constructor(startMs = Date.parse("2026-01-01T00:00:00Z")) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimeout(fire: () => void, delayMs: number): Timer {
    // Whole milliseconds: one who waits for a fraction, and finds by rounding that it is too early, would wait for ever.
    const timer: PendingTimer = {
      atMs: this.#nowMs + Math.ceil(Math.max(0, delayMs)),
      sequence: this.#sequence++,
      fire,
      isCancelled: false,
    };
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.isCancelled = true;
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delayMs, signal);
  }

  /** Moves time forward by `durationMs`, firing what falls due and letting all promises settle before each step. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      await settle();
      const next = this.#nextTimer();
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.pop();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = endMs;
    await settle();
  }

  /** Advances until `condition` holds or `limitMs` of virtual time have passed; answers whether it holds. */
  async advanceUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await settle();
      if (condition()) return true;
      const next = this.#nextTimer();
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      this.#timers.pop();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }

  #nextTimer(): PendingTimer | undefined {
    let next = this.#timers.peek();
    while (next?.isCancelled === true) {
      this.#timers.pop();
      next = this.#timers.peek();
    }
    return next;
  }
}

/** Lets every promise chain that needs no real input or output run to its end. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
