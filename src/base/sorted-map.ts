// A map ordered by its string keys: small sorted runs in a list, so that an insertion moves few entries.

/** Runs are split at this length; long enough that the list of runs stays short, short enough that a splice is cheap. */
const MAX_RUN = 512;

/** Keys in order of their UTF-16 code units (for ASCII keys the order of their bytes). */
export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  /** Each run is sorted and not empty (but for a single empty run when the map is empty); runs are in order. */
  #runs: string[][] = [[]];

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false;
    const runIndex = this.#runIndexOf(key);
    const run = this.#runs[runIndex] as string[];
    run.splice(lowerBound(run, key), 1);
    if (run.length === 0 && this.#runs.length > 1) this.#runs.splice(runIndex, 1);
    return true;
  }

  clear(): void {
    this.#values.clear();
    this.#runs = [[]];
  }

  /** Entries whose keys start with `prefix`, in order; those up to and with `after` are passed over. */
  *entries(prefix = "", after?: string): Generator<[string, V]> {
    const start = after !== undefined && after > prefix ? after : prefix;
    let runIndex = this.#runIndexOf(start);
    let position = lowerBound(this.#runs[runIndex] as string[], start);
    for (; runIndex < this.#runs.length; runIndex++, position = 0) {
      const run = this.#runs[runIndex] as string[];
      for (; position < run.length; position++) {
        const key = run[position] as string;
        if (!key.startsWith(prefix)) return;
        if (key !== after) yield [key, this.#values.get(key) as V];
      }
    }
  }

  /** How many keys `entries` goes through. */
  count(prefix = "", after?: string): number {
    const start = after !== undefined && after > prefix ? after : prefix;
    const between = this.#rankOf(`${prefix}\uffff`) - this.#rankOf(start);
    return start === after && this.has(after) ? between - 1 : between;
  }

  /** How many keys are below `key`. */
  #rankOf(key: string): number {
    const runIndex = this.#runIndexOf(key);
    let rank = lowerBound(this.#runs[runIndex] as string[], key);
    for (let index = 0; index < runIndex; index++) rank += (this.#runs[index] as string[]).length;
    return rank;
  }

  #insert(key: string): void {
    const runIndex = this.#runIndexOf(key);
    const run = this.#runs[runIndex] as string[];
    run.splice(lowerBound(run, key), 0, key);
    if (run.length > MAX_RUN) this.#runs.splice(runIndex + 1, 0, run.splice(run.length >> 1));
  }

  /** The last run whose first key is not above `key`. */
  #runIndexOf(key: string): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle]?.[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The first position in `run` whose key is not below `key`. */
function lowerBound(run: readonly string[], key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((run[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
