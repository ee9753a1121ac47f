// `npm run simulate` plays more seeds, or one of these again.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulateSeeds } from "./many-seeds.ts";
import { simulateWorkloads } from "./workload-simulation.ts";

const SEEDS = 200;

describe("random workloads on failing nodes, under controllers that are restarted or far from the server", () => {
  it(`converge and come to rest, without doubles and orphans, from ${SEEDS} seeds`, async () => {
    const wrong: string[] = [];
    await simulateSeeds(1, SEEDS, ({ seed, problems }) => {
      if (problems.length > 0) wrong.push(`seed ${seed}: ${problems.join("; ")}`);
    });
    assert.deepEqual(wrong, []);
  });

  it("live the same history again, from the same seed", async () => {
    const first = await simulateWorkloads(5);
    assert.deepEqual(await simulateWorkloads(5), first);
    assert.notDeepEqual((await simulateWorkloads(7)).log, first.log);
  });
});
