// Makes inputs for decoders out of well-formed ones: bytes and stretches changed, repeated, left out, nested, or taken from another.
import { type Random, randomInt } from "../../../src/base/index.ts";

/** Longer inputs find nothing that shorter ones do not, but take their time. */
const MAX_BYTES = 8192;

export interface Material {
  readonly corpus: readonly Buffer[];
  readonly words: readonly Buffer[];
}

type Mutation = (input: Buffer, random: Random, material: Material) => Buffer;

const edgeBytes = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff, 0x0a, 0x20];

const mutations: readonly Mutation[] = [
  (input, random) => replaced(input, random, () => Buffer.of(randomInt(random, 256))),
  (input, random) => replaced(input, random, () => Buffer.of(edgeBytes[randomInt(random, edgeBytes.length)] ?? 0)),
  (input, random) => replaced(input, random, (byte) => Buffer.of(byte ^ (1 << randomInt(random, 8)))),
  (input, random) => inserted(input, random, Buffer.from(random.bytes(1 + randomInt(random, 4)))),
  (input, random, { words }) => inserted(input, random, pick(words, random) ?? Buffer.of(0)),
  (input, random) => inserted(input, random, stretch(input, random)),
  (input, random) => inserted(input, random, repeated(stretch(input, random), 1 + randomInt(random, 1000))),
  (input, random) => input.subarray(0, randomInt(random, input.length + 1)),
  (input, random) => without(input, random),
  (input, random, { corpus }) => {
    const other = pick(corpus, random) ?? input;
    return Buffer.concat([input.subarray(0, randomInt(random, input.length + 1)), other.subarray(randomInt(random, other.length + 1))]);
  },
];

/** An input that has come through one to six mutations. */
export function mutated(material: Material, random: Random): Buffer {
  let input = pick(material.corpus, random) ?? Buffer.alloc(0);
  for (let left = 1 + randomInt(random, 6); left > 0; left--) {
    input = pick(mutations, random)?.(input, random, material).subarray(0, MAX_BYTES) ?? input;
  }
  return input;
}

function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[randomInt(random, items.length)];
}

function stretch(input: Buffer, random: Random): Buffer {
  const start = randomInt(random, input.length + 1);
  return input.subarray(start, start + 1 + randomInt(random, 16));
}

function replaced(input: Buffer, random: Random, by: (byte: number) => Buffer): Buffer {
  const at = randomInt(random, input.length);
  return Buffer.concat([input.subarray(0, at), by(input[at] ?? 0), input.subarray(at + 1)]);
}

function inserted(input: Buffer, random: Random, more: Buffer): Buffer {
  const at = randomInt(random, input.length + 1);
  return Buffer.concat([input.subarray(0, at), more, input.subarray(at)]);
}

function repeated(part: Buffer, times: number): Buffer {
  return Buffer.concat(Array<Buffer>(times).fill(part));
}

function without(input: Buffer, random: Random): Buffer {
  const start = randomInt(random, input.length + 1);
  return Buffer.concat([input.subarray(0, start), input.subarray(start + 1 + randomInt(random, 16))]);
}
