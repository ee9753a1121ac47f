// Kills the process of a store with SIGKILL at moments that the seed tells, three times over the same file, and judges what is left.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Random, randomInt, SeededRandom } from "../../../src/base/index.ts";
import { SystemClock } from "../../../src/cmd/system/clock.ts";
import { LmdbStore } from "../../../src/storage/index.ts";
import { type Aftermath, type Happening, problemsOf } from "./happening.ts";
import { killedAt, type Moment } from "./strace.ts";

const ROUNDS = 3;
const MAX_LINES = 400;
const MAX_CALLS = 60;
const writer = fileURLToPath(new URL("./writer.ts", import.meta.url));

type Writer = ChildProcess & { readonly stdout: Readable };

/** How the process dies: when it has told so many lines, or inside a commit, at a system call. */
export type Death = "lines" | "calls";

/** What went wrong with a seed; nothing, one hopes. */
export async function torture(seed: number, death: Death = "lines"): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-torture-"));
  const path = join(directory, "store");
  const random = new SeededRandom(seed);
  const problems: string[] = [];
  let before = 1;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const command = writerCommand(path, seed * ROUNDS + round);
      const moment = momentOf(path, random);
      const lines = death === "lines" ? 1 + randomInt(random, MAX_LINES) : Number.POSITIVE_INFINITY;
      const happenings = await toldBy(death === "lines" ? start(command) : killedAt(moment, command), lines);
      const aftermath = await reopened(path, before);
      const where = death === "lines" ? `line ${lines}` : `${moment.call} ${moment.count}`;
      problems.push(...problemsOf(happenings, aftermath).map((problem) => `round ${round}, ${where}: ${problem}`));
      before = aftermath.revision;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return problems;
}

/** The command that loads the store at `path`; it ends only by being killed. */
export function writerCommand(path: string, seed: number): string[] {
  return [process.execPath, "--disable-warning=ExperimentalWarning", writer, path, String(seed)];
}

/** All that the process told until it was killed, which it is when it has told so many lines. */
export async function toldBy(child: Writer, lines = Number.POSITIVE_INFINITY): Promise<Happening[]> {
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.split("\n").length > lines) child.kill("SIGKILL");
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal !== "SIGKILL") throw new Error(`the process ended by itself with ${code ?? signal}`);
  // The last line may be cut off.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Happening);
}

export async function reopened(path: string, before: number): Promise<Aftermath> {
  const store = new LmdbStore({ path, clock: new SystemClock() });
  const { entries, revision } = await store.range("/");
  const copied = entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value) }));
  await store.close();
  return { before, revision, entries: copied };
}

function start([program = "", ...args]: readonly string[]): Writer {
  return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** Before pages are written, before they are synced, before the root that makes them valid is, or before somebody is told. */
function momentOf(path: string, random: Random): Moment {
  const call = ["pwrite64", "lseek", "writev", "fdatasync", "write"][randomInt(random, 5)] ?? "fdatasync";
  return { call, count: 1 + randomInt(random, MAX_CALLS), ...(call === "write" ? {} : { path }) };
}
