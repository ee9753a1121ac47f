// `npm run torture -- [--seeds N] [--first N]`: kills stores under load and says which seeds broke a promise.
import { parseArgs } from "node:util";
import { torture } from "./torture.ts";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "100" }, first: { type: "string", default: "1" } } });
const first = Number(values.first);
let broken = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const problems = await torture(seed);
  if (problems.length === 0) continue;
  broken++;
  console.log(`seed ${seed}:\n  ${problems.join("\n  ")}`);
}
console.log(`${values.seeds} seeds, ${broken} broke a promise`);
process.exitCode = broken === 0 ? 0 : 1;
