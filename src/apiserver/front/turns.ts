// Turns of the many watches that hear of one change: a few go on in each round of the event loop, so that other requests are
// answered in between, and what changes until a watch has its turn goes out with one write.

/** Writes of about a millisecond. */
const PER_ROUND = 64;

export class Turns {
  #waiting: (() => void)[] = [];
  /** The first in `#waiting` whose turn has not come. */
  #next = 0;
  readonly #later: (round: () => void) => void;

  /** `later` calls back in another round of the event loop. */
  constructor(later: (round: () => void) => void = setImmediate) {
    this.#later = later;
  }

  /** Calls `go` when it has its turn: never at once, and in the order of the calls. */
  readonly enter = (go: () => void): void => {
    if (this.#waiting.push(go) === 1) this.#later(this.#round);
  };

  readonly #round = (): void => {
    const end = Math.min(this.#next + PER_ROUND, this.#waiting.length);
    while (this.#next < end) this.#waiting[this.#next++]?.();
    if (this.#next < this.#waiting.length) {
      this.#later(this.#round);
      return;
    }
    this.#waiting = [];
    this.#next = 0;
  };
}
