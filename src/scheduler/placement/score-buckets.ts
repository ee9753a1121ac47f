// Slots by score, so that one of the best is found without looking at the others.
import { type Random, randomInt } from "../../base/index.ts";

/** By slot: its score and its place in the bucket; undefined when it is in none. */
export type Places = ({ readonly score: number; index: number } | undefined)[];

export class ScoreBuckets {
  /** Slots by score; scores are whole and not negative. */
  readonly #buckets: number[][] = [];
  readonly #places: Places;
  /** No slot has a higher score. */
  #top = -1;
  #size = 0;

  /** Those that share `places` have no slot in common. */
  constructor(places: Places = []) {
    this.#places = places;
  }

  get size(): number {
    return this.#size;
  }

  /** Undefined takes the slot out. */
  set(slot: number, score: number | undefined): void {
    const place = this.#places[slot];
    if (place?.score === score) return;
    if (place !== undefined) this.#remove(slot, place);
    if (score === undefined) return;
    const bucket = (this.#buckets[score] ??= []);
    this.#places[slot] = { score, index: bucket.length };
    bucket.push(slot);
    this.#size++;
    this.#top = Math.max(this.#top, score);
  }

  /** A slot of the highest score that `accepts` any, by chance among equals; undefined when none is accepted. */
  best(random: Random, accepts: (slot: number) => boolean): number | undefined {
    this.top();
    for (let score = this.#top; score >= 0; score--) {
      const bucket = this.#buckets[score];
      if (bucket === undefined || bucket.length === 0) continue;
      const found = firstAccepted(bucket, random, accepts);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The slots of the highest score there is; undefined when there are none. */
  top(): readonly number[] | undefined {
    while (this.#top >= 0 && (this.#buckets[this.#top]?.length ?? 0) === 0) this.#top--;
    return this.#buckets[this.#top];
  }

  #remove(slot: number, { score, index }: { readonly score: number; readonly index: number }): void {
    this.#places[slot] = undefined;
    this.#size--;
    const bucket = this.#buckets[score];
    const last = bucket?.pop();
    if (bucket === undefined || last === undefined || last === slot) return;
    bucket[index] = last;
    const moved = this.#places[last];
    if (moved !== undefined) moved.index = index;
  }
}

/** Asks in an order of chance, so that all that would be accepted are equally likely. */
function firstAccepted(bucket: readonly number[], random: Random, accepts: (slot: number) => boolean): number | undefined {
  const first = bucket[bucket.length === 1 ? 0 : randomInt(random, bucket.length)];
  if (first === undefined || accepts(first)) return first;
  const left = bucket.filter((slot) => slot !== first);
  while (left.length > 0) {
    const index = randomInt(random, left.length);
    const slot = left[index] as number;
    if (accepts(slot)) return slot;
    left[index] = left[left.length - 1] as number;
    left.pop();
  }
  return undefined;
}
