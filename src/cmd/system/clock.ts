// The real clock and the real source of randomness. Nothing outside src/cmd makes either.
import { randomBytes } from "node:crypto";
import { type Clock, type Random, sleepWith, type Timer } from "../../base/index.ts";

/** The machine's clock. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimeout(fire: () => void, delayMs: number): Timer {
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delayMs, signal);
  }
}

/** Bytes of the kernel's generator, taken a few kilobytes at a time. */
export class SystemRandom implements Random {
  #pool = randomBytes(4096);
  #used = 0;

  next(): number {
    const bytes = this.bytes(6);
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return value / 2 ** 48;
  }

  bytes(length: number): Uint8Array {
    if (length > this.#pool.length) return randomBytes(length);
    if (this.#used + length > this.#pool.length) {
      this.#pool = randomBytes(this.#pool.length);
      this.#used = 0;
    }
    const bytes = this.#pool.subarray(this.#used, this.#used + length);
    this.#used += length;
    return Uint8Array.from(bytes);
  }
}
