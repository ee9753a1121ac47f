// Randomness as a constructor argument. The real one is made in src/cmd; `SeededRandom` repeats itself.

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` random bytes; unpredictable only when the implementation is. */
  bytes(length: number): Uint8Array;
}

/** A whole number in [0, limit). */
export function randomInt(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

/** A random version 4 UUID. */
export function uuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** No vowels and no look-alikes, so that a suffix never spells a word. */
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** `length` characters such as stand behind a generated name. */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = "";
  for (let i = 0; i < length; i++) suffix += SUFFIX_ALPHABET[randomInt(random, SUFFIX_ALPHABET.length)];
  return suffix;
}

/** Deterministic randomness (mulberry32): the same seed gives the same sequence. Never for secrets. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => randomInt(this, 256));
  }
}
