// How much an evaluation may do. Upstream's units: 1 for reading a variable, a field or calling a function, more for what
// goes through long data.
import { CelCostError } from "./errors.ts";

/** Counts the cost of one evaluation. */
export class Budget {
  #spent = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Counts; throws CelCostError beyond the limit. */
  spend(cost: number): void {
    this.#spent += cost;
    if (this.#spent > this.#limit) throw new CelCostError();
  }
}
