// How often a controller looks at one object whose dependents change all the time. A look that goes through many of them is
// followed by a rest, and what changes meanwhile is seen together; after a quiet time the next change is seen at once.
import type { Clock } from "../base/index.ts";

/** Some hundred times what the look itself takes: many such keys may change at the same time. */
const REST_MS_PER_OBJECT = 0.5;
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

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** A look at `key` goes through so many objects, 0 for one that is gone; `tookMs`: for how long it had the processor. */
  looked(key: string, objects: number, tookMs = 0): void {
    if (objects < FEW_OBJECTS) {
      this.#restsUntilMs.delete(key);
      return;
    }
    const ofObjectsMs = Math.min(objects * REST_MS_PER_OBJECT, MAX_REST_MS);
    const ofDurationMs = Math.min(tookMs * REST_PER_DURATION, MAX_REST_AFTER_LONG_MS);
    this.#restsUntilMs.set(key, this.#clock.monotonic() + Math.max(ofObjectsMs, ofDurationMs));
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
