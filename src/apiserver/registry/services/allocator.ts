// Numbers (offsets of addresses, ports) of which each belongs to one service: those in stored services, told by the
// watch cache, and those reserved by writes under way.
// DEVIATION: upstream keeps allocations in the store; here the services themselves are the record, and two servers that
// give out the same number at the same time are not kept apart.
import { type Random, randomInt } from "../../../base/index.ts";

export class Allocator<T> {
  /** How many services hold a value (one, unless someone forced it). */
  readonly #held = new Map<T, number>();
  readonly #reserved = new Set<T>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  hold(value: T): void {
    this.#held.set(value, (this.#held.get(value) ?? 0) + 1);
  }

  drop(value: T): void {
    const count = (this.#held.get(value) ?? 0) - 1;
    if (count > 0) this.#held.set(value, count);
    else this.#held.delete(value);
  }

  isTaken(value: T): boolean {
    return this.#held.has(value) || this.#reserved.has(value);
  }

  /** Answers whether `value` was free and is now reserved. */
  reserve(value: T): boolean {
    if (this.isTaken(value)) return false;
    this.#reserved.add(value);
    return true;
  }

  release(value: T): void {
    this.#reserved.delete(value);
  }

  /** Reserves a free value among `at(first)` … `at(size - 1)`, else among those before; undefined when all are taken. */
  reserveAny(size: number, first: number, at: (index: number) => T): T | undefined {
    const upper = size - first;
    return this.#probe(first, upper, at) ?? this.#probe(0, first, at);
  }

  #probe(start: number, count: number, at: (index: number) => T): T | undefined {
    if (count <= 0) return undefined;
    const from = randomInt(this.#random, count);
    const limit = Math.min(count, this.#held.size + this.#reserved.size + 1);
    for (let step = 0; step < limit; step++) {
      const value = at(start + ((from + step) % count));
      if (this.reserve(value)) return value;
    }
    return undefined;
  }
}

/** The lower part of a range, left to those who ask for a certain value (min(max(16, size/16), 256) upstream). */
export function staticBand(size: number, { min, max, divisor }: { min: number; max: number; divisor: number }): number {
  const band = Math.min(Math.max(min, Math.floor(size / divisor)), max);
  return size <= band ? 0 : band;
}
