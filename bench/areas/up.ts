// How long `./k8ts up` takes until the node is Ready, on a machine without a cluster, and again when all is up.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BRIDGE } from "../../src/cmd/config/cluster.ts";
import { VoidError } from "../api.ts";
import { type Round, type Row, timeRound } from "../measure.ts";

const K8TS = fileURLToPath(new URL("../../k8ts", import.meta.url));

export async function upArea({ rounds }: { readonly rounds: number }): Promise<Row[]> {
  if (process.getuid?.() !== 0) throw new VoidError("k8ts up needs root");
  // The bridge and the cgroup are the machine's: a second cluster would share them with the first.
  if (existsSync(`/sys/class/net/${BRIDGE}`)) throw new VoidError(`a cluster is up (${BRIDGE} exists); take it down first`);
  const first: Round[] = [];
  const again: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const directory = mkdtempSync(join(tmpdir(), "k8ts-bench-up-"));
    const places = ["--data-dir", join(directory, "data"), "--run-dir", join(directory, "run")];
    const timed = (verb: string) => timeRound({ serverPid: undefined, work: () => k8ts([verb, ...places]) });
    try {
      first.push(await timed("up"));
      again.push(await timed("up"));
    } finally {
      await k8ts(["down", ...places]);
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return [
    { name: "k8ts up until the node is Ready", rounds: first },
    { name: "k8ts up again", rounds: again },
  ];
}

async function k8ts(args: readonly string[]): Promise<{ operations: number; latenciesMs: number[] }> {
  const startedAt = performance.now();
  const child = spawn(K8TS, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const [code] = await once(child, "close");
  if (code !== 0) throw new VoidError(`k8ts ${args[0]} failed with ${String(code)}: ${output.slice(-500)}`);
  return { operations: 1, latenciesMs: [performance.now() - startedAt] };
}
