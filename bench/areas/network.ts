// The service proxy in a network namespace of its own: all Services at once, then one change among them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VoidError } from "../api.ts";
import type { Round, Row } from "../measure.ts";

const WORKER = fileURLToPath(new URL("../network-worker.ts", import.meta.url));
const SIZES = [1_000, 10_000];

export async function networkArea({ rounds }: { readonly rounds: number }): Promise<Row[]> {
  if (process.getuid?.() !== 0) throw new VoidError("network needs root, for a network namespace");
  const rows: Row[] = [];
  for (const size of SIZES) {
    const results: { readonly cold: Round; readonly change: Round }[] = [];
    while (results.length < rounds) results.push(await run(size));
    rows.push({ name: `program ${size} services × 2 endpoints`, rounds: results.map(({ cold }) => cold) });
    rows.push({ name: `one change among ${size} services, until a connection sees it`, rounds: results.map(({ change }) => change) });
  }
  return rows;
}

async function run(services: number): Promise<{ cold: Round; change: Round }> {
  const command = ["--net", process.execPath, "--disable-warning=ExperimentalWarning", WORKER, `${services}`];
  const { stdout } = await promisify(execFile)("unshare", command, { maxBuffer: 16 * 2 ** 20 });
  return JSON.parse(stdout) as { cold: Round; change: Round };
}
