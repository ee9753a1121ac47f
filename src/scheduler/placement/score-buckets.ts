// Slots by score, so that one of the best is found without looking at the others.
import { type Random, randomInt } from "../../base/index.ts";

export class ScoreBuckets {
  /** Slots by score; scores are whole and not negative. */
  readonly #buckets: number[][] = [];
  /** By slot: its score and its place in the bucket; undefined when it is in none. */
  readonly #places: ({ readonly score: number; index: number } | undefined)[] = [];
  /** No slot has a higher score. */
  #top = -1;

  /** Undefined takes the slot out. */
  set(slot: number, score: number | undefined): void {
    const place = this.#places[slot];
    if (place?.score === score) return;
    if (place !== undefined) this.#remove(slot, place);
    if (score === undefined) return;
    const bucket = (this.#buckets[score] ??= []);
    this.#places[slot] = { score, index: bucket.length };
    bucket.push(slot);
    this.#top = Math.max(this.#top, score);
  }

  /** A slot of the highest score, by chance among equals. */
  best(random: Random): number | undefined {
    while (this.#top >= 0 && (this.#buckets[this.#top]?.length ?? 0) === 0) this.#top--;
    const bucket = this.#buckets[this.#top];
    return bucket?.[bucket.length === 1 ? 0 : randomInt(random, bucket.length)];
  }

  #remove(slot: number, { score, index }: { readonly score: number; readonly index: number }): void {
    this.#places[slot] = undefined;
    const bucket = this.#buckets[score];
    const last = bucket?.pop();
    if (bucket === undefined || last === undefined || last === slot) return;
    bucket[index] = last;
    const moved = this.#places[last];
    if (moved !== undefined) moved.index = index;
  }
}
