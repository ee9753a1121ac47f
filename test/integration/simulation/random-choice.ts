// Choices of a simulation, all from one seed.
import { type Random, randomInt } from "../../../src/base/index.ts";

export class RandomChoice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + randomInt(this.#random, most - least + 1);
  }

  happens(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** Undefined when there is nothing to choose from. */
  oneOf<T>(values: readonly T[]): T | undefined {
    return values[randomInt(this.#random, values.length)];
  }
}
