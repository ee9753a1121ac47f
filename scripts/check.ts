// `npm run check`: types and layer borders (tsc -b), format and lint (Biome), floating promises (oxlint),
// and that time and randomness are injected.
import { spawnSync } from "node:child_process";
import { impureLines } from "./check-purity.ts";

const steps: [string, string[]][] = [
  ["tsc", ["-b"]],
  ["biome", ["check", "--error-on-warnings", "."]],
  ["oxlint", ["--type-aware", "--quiet"]],
];

let failed = false;
for (const [command, args] of steps) {
  console.log(`▸ ${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: "inherit" });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) failed = true;
}
console.log("▸ real time and randomness only in src/cmd");
for (const line of impureLines("src")) {
  console.error(line);
  failed = true;
}
process.exit(failed ? 1 : 0);
