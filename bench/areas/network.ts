// The service proxy in a network namespace of its own: all Services at once, then one change among them. Then network policies:
// what a connection from pod to pod takes under many of them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VoidError } from "../api.ts";
import type { Round, Row } from "../measure.ts";

const WORKER = fileURLToPath(new URL("../network-worker.ts", import.meta.url));
const POLICY_WORKER = fileURLToPath(new URL("../policy-worker.ts", import.meta.url));
const SIZES = [1_000, 10_000];
/** How many, and whether they select the pod that is connected to. */
const POLICIES = [
  [0, "others", "without policies"],
  [1_000, "others", "with 1000 policies of other pods"],
  [1_000, "own", "with 1000 policies of this pod, of which the last allows it"],
] as const;

export async function networkArea({ rounds }: { readonly rounds: number }): Promise<Row[]> {
  if (process.getuid?.() !== 0) throw new VoidError("network needs root, for a network namespace");
  const rows: Row[] = [];
  for (const size of SIZES) {
    const results: { readonly cold: Round; readonly change: Round }[] = [];
    while (results.length < rounds) results.push(await run(size));
    rows.push({ name: `program ${size} services × 2 endpoints`, rounds: results.map(({ cold }) => cold) });
    rows.push({ name: `one change among ${size} services, until a connection sees it`, rounds: results.map(({ change }) => change) });
  }
  for (const [count, whose, words] of POLICIES) {
    const results: { readonly cold: Round; readonly connected: Round }[] = [];
    while (results.length < rounds) results.push(await runPolicies(count, whose));
    if (count > 0) rows.push({ name: `program ${count} policies of ${whose}`, rounds: results.map(({ cold }) => cold) });
    rows.push({ name: `connect from pod to pod ${words}`, rounds: results.map(({ connected }) => connected) });
  }
  return rows;
}

function run(services: number): Promise<{ cold: Round; change: Round }> {
  return inNamespace(WORKER, `${services}`);
}

function runPolicies(count: number, whose: "own" | "others"): Promise<{ cold: Round; connected: Round }> {
  return inNamespace(POLICY_WORKER, `${count}`, whose);
}

/** What the program prints as JSON, run in a network namespace of its own. */
async function inNamespace<T>(program: string, ...args: readonly string[]): Promise<T> {
  const command = ["--net", process.execPath, "--disable-warning=ExperimentalWarning", program, ...args];
  const { stdout } = await promisify(execFile)("unshare", command, { maxBuffer: 16 * 2 ** 20 });
  return JSON.parse(stdout) as T;
}
