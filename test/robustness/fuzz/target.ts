// What is fuzzed: a decoder of bytes that come from outside, what it may throw, and inputs to begin with.

export interface FuzzTarget {
  readonly name: string;
  /** Well-formed inputs; what is tried is made out of them. */
  readonly corpus: readonly (string | Uint8Array)[];
  /** Texts that mean something to the decoder, put in here and there. */
  readonly words?: readonly string[];
  /** Decodes the input, and throws an AssertionError when what came out cannot be right. */
  run(input: Buffer): unknown;
  /** Whether the decoder may say no with this error. */
  isRefusal(error: unknown): boolean;
}

/** For decoders that answer with a value whatever they are given. */
export const neverThrows = () => false;
