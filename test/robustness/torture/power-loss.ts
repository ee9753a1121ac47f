// Records a store under load, and judges what it would find if the power had gone at moments that the seed tells.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, randomInt, SeededRandom } from "../../../src/base/index.ts";
import { type Luck, leftAfter, randomLuck } from "./disk.ts";
import { problemsOf } from "./happening.ts";
import { CALLS, type Step, stepsOf } from "./recording.ts";
import { killedAt } from "./strace.ts";
import { reopened, toldBy, writerCommand } from "./torture.ts";

const MAX_WRITES = 400;

export interface PowerLossOptions {
  readonly seed: number;
  readonly moments: number;
}

/** What is wrong with the store after power failures at so many moments of one recording. */
export async function powerLoss({ seed, moments }: PowerLossOptions): Promise<string[]> {
  const random = new SeededRandom(seed);
  const steps = await record(seed, 1 + randomInt(random, MAX_WRITES));
  // LMDB cannot open a file that was being made; nothing was told by then.
  const made = steps.findIndex(({ at, call }) => at === "end" && call.name === "sync") + 1;
  const problems: string[] = [];
  for (let i = 0; made > 0 && i < moments; i++) {
    const moment = made + randomInt(random, steps.length + 1 - made);
    const luck = randomLuck(random);
    const found = await afterFailure(steps.slice(0, moment), luck, random);
    problems.push(...found.map((problem) => `moment ${moment} of ${steps.length}, ${luck}: ${problem}`));
  }
  return problems;
}

/** The steps of a store's process until its main thread makes this many calls of `write`: nearly all of them tell something. */
export async function record(seed: number, writes: number): Promise<readonly Step[]> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-recording-"));
  const [path, file] = [join(directory, "store"), join(directory, "record")];
  try {
    await toldBy(killedAt({ call: "write", count: writes }, writerCommand(path, seed), { calls: CALLS, file }));
    return stepsOf(readFileSync(file, "latin1"), path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What is wrong with a store whose power went after these steps. */
export async function afterFailure(steps: readonly Step[], luck: Luck, random: Random): Promise<string[]> {
  const told = steps.flatMap(({ at, call }) => (at === "begin" && call.name === "tell" ? [call.happening] : []));
  const directory = mkdtempSync(join(tmpdir(), "k8ts-power-loss-"));
  const path = join(directory, "store");
  try {
    writeFileSync(path, leftAfter(steps, luck, random));
    return problemsOf(told, await reopened(path, 1));
  } catch (error) {
    return [`the store cannot be opened: ${(error as Error).message}`];
  } finally {
    rmSync(directory, { recursive: true });
  }
}
