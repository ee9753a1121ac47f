// What the last writes have left in the file: most of it is written again soon, and then known without a look at the file. It takes
// little memory, for whoever caches the objects holds the same bytes.
import type { StoreEntry } from "../store.ts";

/** So many are kept, and up to as many older ones. */
const GENERATION_SIZE = 2048;

export class RecentEntries {
  /** Undefined is what was deleted. */
  #young = new Map<string, StoreEntry | undefined>();
  /** What `#young` was when it was full; forgotten as a whole, for a map that loses its first key again and again becomes slow. */
  #old: ReadonlyMap<string, StoreEntry | undefined> = new Map();

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  /** Undefined when it was deleted, or is not known. */
  get(key: string): StoreEntry | undefined {
    return this.#young.has(key) ? this.#young.get(key) : this.#old.get(key);
  }

  set(key: string, entry: StoreEntry | undefined): void {
    if (this.#young.size >= GENERATION_SIZE) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, entry);
  }
}
