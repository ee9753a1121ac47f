// Tries a target with inputs of a seed until the time is over, and tells the first input that it cannot bear.
import { SeededRandom } from "../../../src/base/index.ts";
import { mutated } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

/** No input of a few kilobytes takes this much processor time to decode, unless the decoder is quadratic or worse. */
const MAX_INPUT_MS = 1000;

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
}

export interface FuzzReport {
  readonly runs: number;
  readonly failure?: { readonly input: Buffer; readonly problem: string };
}

export async function fuzz(target: FuzzTarget, { seed, seconds }: FuzzOptions): Promise<FuzzReport> {
  const random = new SeededRandom(seed);
  const corpus = target.corpus.map((input) => Buffer.from(input));
  const material = { corpus, words: (target.words ?? []).map((word) => Buffer.from(word)) };
  const end = performance.now() + seconds * 1000;
  let runs = 0;
  do {
    const input = corpus[runs] ?? mutated(material, random);
    runs++;
    const problem = await tried(target, input);
    if (problem !== undefined) return { runs, failure: { input, problem } };
  } while (runs < corpus.length || performance.now() < end);
  return { runs };
}

/** What is wrong with how the target takes the input. */
export async function tried(target: FuzzTarget, input: Buffer): Promise<string | undefined> {
  const before = process.cpuUsage();
  try {
    await target.run(input);
  } catch (error) {
    if (!target.isRefusal(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { user } = process.cpuUsage(before);
  return user > MAX_INPUT_MS * 1000 ? `took ${Math.round(user / 1000)} ms` : undefined;
}
