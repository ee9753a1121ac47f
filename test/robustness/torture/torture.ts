// Kills the process of a store with SIGKILL at a moment that the seed tells, three times over the same file, and judges what is left.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomInt, SeededRandom } from "../../../src/base/index.ts";
import { SystemClock } from "../../../src/cmd/system/clock.ts";
import { LmdbStore } from "../../../src/storage/index.ts";
import { type Aftermath, type Happening, problemsOf } from "./happening.ts";

const ROUNDS = 3;
const MAX_LINES = 400;
const writer = fileURLToPath(new URL("./writer.ts", import.meta.url));

/** What went wrong with a seed; nothing, one hopes. */
export async function torture(seed: number): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-torture-"));
  const random = new SeededRandom(seed);
  const problems: string[] = [];
  let before = 1;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(directory, "store");
      const happenings = await killedAfter(1 + randomInt(random, MAX_LINES), [path, String(seed * ROUNDS + round)]);
      const aftermath = await reopened(path, before);
      problems.push(...problemsOf(happenings, aftermath).map((problem) => `round ${round}: ${problem}`));
      before = aftermath.revision;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return problems;
}

/** All that the process told; it is killed when it has told so many lines. */
async function killedAfter(lines: number, args: readonly string[]): Promise<Happening[]> {
  const child = spawn(process.execPath, [writer, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.split("\n").length > lines) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "close");
  if (signal !== "SIGKILL") throw new Error(`the process ended by itself with ${code ?? signal}`);
  // The last line may be cut off.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Happening);
}

async function reopened(path: string, before: number): Promise<Aftermath> {
  const store = new LmdbStore({ path, clock: new SystemClock() });
  const { entries, revision } = await store.range("/");
  const copied = entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value) }));
  await store.close();
  return { before, revision, entries: copied };
}
