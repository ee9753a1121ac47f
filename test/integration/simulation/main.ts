// `npm run simulate -- [--seed N] [--first N] [--count N]`: plays random workloads and says which seeds went wrong; one seed
// with everything that was done.
import { parseArgs } from "node:util";
import { simulateSeeds } from "./many-seeds.ts";
import { simulateWorkloads } from "./workload-simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    first: { type: "string", default: "1" },
    count: { type: "string", default: "1000" },
  },
});

if (values.seed !== undefined) {
  const { log, problems } = await simulateWorkloads(Number(values.seed));
  console.log(log.join("\n"));
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  const wrong: number[] = [];
  let played = 0;
  await simulateSeeds(Number(values.first), Number(values.count), ({ seed, problems }) => {
    if (++played % 100 === 0) console.log(`${played} played, ${wrong.length} went wrong`);
    if (problems.length === 0) return;
    wrong.push(seed);
    console.log(`seed ${seed}:\n  ${problems.join("\n  ")}`);
  });
  console.log(wrong.length === 0 ? "all went well" : `look at one with npm run simulate -- --seed ${wrong[0]}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
