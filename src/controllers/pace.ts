// How often a controller looks at one object whose dependents change all the time. A look that goes through many of them is
// followed by a rest, and what changes meanwhile is seen together; after a quiet time the next change is seen at once.
import type { Clock } from "../base/index.ts";

/** Some fifty times what it takes to look at an object and to write it: so many looks together take a small part of a core. */
const REST_MS_PER_OBJECT = 0.5;
/** What follows from a look is written, and looked at by others. */
const MIN_REST_MS = 100;
const MAX_REST_MS = 2000;
/** On a machine that is busy a look takes longer, and so does the rest. */
const REST_PER_DURATION = 50;
const MAX_REST_AFTER_LONG_MS = 10_000;
/** Fewer objects are looked at again at once. */
const FEW_OBJECTS = 100;

export class Pace {
  /** When the rest after the last look is over, by key; a key without an entry does not rest. */
  readonly #restsUntilMs = new Map<string, number>();
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #restMsPerObject: number;

  constructor(clock: Pick<Clock, "monotonic">, restMsPerObject = REST_MS_PER_OBJECT) {
    this.#clock = clock;
    this.#restMsPerObject = restMsPerObject;
  }

  /**
   * A look at `key` goes through so many objects, 0 for one that is gone; `tookMs`: for how long it had the processor.
   * The more keys rest, the longer each does: what their looks take together stays the same.
   */
  looked(key: string, objects: number, tookMs = 0): void {
    this.#restsUntilMs.delete(key);
    if (objects < FEW_OBJECTS) return;
    const nowMs = this.#clock.monotonic();
    for (const [other, untilMs] of this.#restsUntilMs) if (untilMs <= nowMs) this.#restsUntilMs.delete(other);
    const busyKeys = this.#restsUntilMs.size + 1;
    const ofObjectsMs = Math.min(Math.max(MIN_REST_MS, objects * this.#restMsPerObject) * busyKeys, MAX_REST_MS);
    const ofDurationMs = Math.min(tookMs * REST_PER_DURATION, MAX_REST_AFTER_LONG_MS);
    this.#restsUntilMs.set(key, nowMs + Math.max(ofObjectsMs, ofDurationMs));
  }

  /** How long a change that is not urgent waits for its look. */
  restMs(key: string): number {
    const untilMs = this.#restsUntilMs.get(key);
    if (untilMs === undefined) return 0;
    const leftMs = untilMs - this.#clock.monotonic();
    if (leftMs <= 0) this.#restsUntilMs.delete(key);
    return Math.max(0, leftMs);
  }
}
