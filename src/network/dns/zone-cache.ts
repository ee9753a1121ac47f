// Encoded answers about the cluster's zone, by the bytes of the question. Whatever changes the zone empties it.
import { queryKey } from "./wire.ts";

interface Entry {
  /** One answer for each order of its addresses that was asked for so far, up to `orders`. */
  readonly answers: Buffer[];
  readonly orders: number;
  next: number;
}

/** Most answers are for one of few names; more than so many questions are some attack or a very large cluster. */
const MOST_ENTRIES = 10_000;
/** Enough turns that clients who take the first address spread over the others. */
const MOST_ORDERS = 8;

/** An encoded answer and how many orders its addresses can be put in by turning them. */
export interface EncodedAnswer {
  readonly bytes: Buffer;
  readonly orders: number;
}

export class ZoneCache {
  readonly #entries = new Map<string, Entry>();

  /** The answer for a query, made by `encode` where it is not there; `turn` says by how many places addresses move. */
  answer(query: Buffer, encode: (turn: number) => EncodedAnswer): Buffer {
    const key = queryKey(query);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const { bytes, orders } = encode(0);
      if (this.#entries.size >= MOST_ENTRIES) this.#entries.clear();
      this.#entries.set(key, { answers: [bytes], orders: Math.min(orders, MOST_ORDERS), next: 1 });
      return bytes;
    }
    const turn = entry.next % entry.orders;
    entry.next = turn + 1;
    const bytes = Buffer.from((entry.answers[turn] ??= encode(turn).bytes));
    query.copy(bytes, 0, 0, 2);
    return bytes;
  }

  has(query: Buffer): boolean {
    return this.#entries.has(queryKey(query));
  }

  clear(): void {
    this.#entries.clear();
  }
}
