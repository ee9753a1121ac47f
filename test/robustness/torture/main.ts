// `npm run torture -- [kind…] [--seeds N] [--first N]`: kills stores and servers under load and says which seeds broke a promise.
import { parseArgs } from "node:util";
import { powerLoss } from "./power-loss.ts";
import { tortureServer } from "./server-torture.ts";
import { tortureSnapshot } from "./snapshot-torture.ts";
import { torture } from "./torture.ts";

const MOMENTS = 100;
const kinds: Readonly<Record<string, (seed: number) => Promise<readonly string[]>>> = {
  lines: (seed) => torture(seed, "lines"),
  calls: (seed) => torture(seed, "calls"),
  power: (seed) => powerLoss({ seed, moments: MOMENTS }),
  snapshot: (seed) => tortureSnapshot(seed).then(() => []),
  server: (seed) => tortureServer(seed, "lmdb"),
  etcd: (seed) => tortureServer(seed, "etcd"),
};

const { values, positionals } = parseArgs({
  options: { seeds: { type: "string", default: "100" }, first: { type: "string", default: "1" } },
  allowPositionals: true,
});
const first = Number(values.first);
let broken = 0;
for (const name of positionals.length > 0 ? positionals : ["lines"]) {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`no kind ${name}; there are ${Object.keys(kinds).join(", ")}`);
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const problems = await kind(seed).catch((error: unknown) => [String(error)]);
    if (problems.length === 0) continue;
    broken++;
    console.log(`${name}, seed ${seed}:\n  ${problems.join("\n  ")}`);
  }
  console.log(`${name}: ${values.seeds} seeds`);
}
console.log(`${broken} broke a promise`);
process.exitCode = broken === 0 ? 0 : 1;
