import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/index.ts";
import { AgentWorld, container } from "../agent.fixture.ts";
import { ANNOTATION_PREFIX } from "../runtime/simulated/index.ts";
import { shutdownGroups } from "./plan.ts";

const PERIODS = [
  { priority: 0, graceMs: 20_000 },
  { priority: 2_000_000_000, graceMs: 10_000 },
];

test("pods end in groups by priority, the least important first, and those below every group belong to the first", () => {
  const pod = (name: string, priority: number) => ({ metadata: { name }, spec: { priority, containers: [] } });
  const groups = shutdownGroups([pod("critical", 2_000_001_000), pod("plain", 0), pod("low", -5)], PERIODS);
  assert.deepEqual(
    groups.map(({ graceMs, pods }) => [graceMs, pods.map(({ metadata }) => metadata.name)]),
    [
      [20_000, ["plain", "low"]],
      [10_000, ["critical"]],
    ],
  );
  assert.deepEqual(shutdownGroups([pod("critical", 2_000_001_000)], PERIODS).length, 1, "a group without pods takes no time");
});

/** Seconds after which a world's pods were told to end, and its pods' statuses. */
async function shutDown(world: AgentWorld, graceSeconds: Readonly<Record<string, number>>) {
  const agent = world.start({ shutdownPeriods: PERIODS });
  for (const [name, terminationGracePeriodSeconds] of Object.entries(graceSeconds)) {
    const priority = name === "critical" ? 2_000_001_000 : 0;
    const annotations = { [`${ANNOTATION_PREFIX}stop-delay-seconds`]: "600" };
    await world.createPod(name, { priority, terminationGracePeriodSeconds, containers: [container("main")] }, annotations);
  }
  await world.clock.advance(5_000);
  const startMs = world.clock.now();
  let endedMs: number | undefined;
  void agent.shutDown(new AbortController().signal).then(() => {
    endedMs = world.clock.now() - startMs;
  });
  await world.clock.advance(0);
  return { endedMs: () => endedMs };
}

test("a machine that is shut down ends critical pods last, each within its own grace and that of its group", async () => {
  await using world = new AgentWorld();
  const shutdown = await shutDown(world, { patient: 60, quick: 3, critical: 30 });
  await world.clock.advance(4_000);
  assert.equal(world.phase("quick"), "Failed");
  assert.equal(world.condition("critical", "Ready")?.status, "True");
  await world.clock.advance(18_000);
  assert.equal(world.phase("patient"), "Failed");
  assert.equal(world.pod("patient")?.status?.reason, "Terminated");
  assert.equal(world.pod("patient")?.status?.message, "Pod was terminated in response to imminent node shutdown.");
  assert.equal(world.condition("patient", "DisruptionTarget")?.reason, "TerminationByKubelet");
  assert.equal(shutdown.endedMs(), undefined);
  await world.clock.advance(12_000);
  assert.equal(world.phase("critical"), "Failed");
  assert.ok((shutdown.endedMs() ?? Number.POSITIVE_INFINITY) <= 31_000);
});

test("a node that is being shut down is not ready and takes no pods", async () => {
  await using world = new AgentWorld();
  await shutDown(world, { patient: 60 });
  await world.clock.advance(1_000);
  const ready = world.client.peek(resources.nodes, "node-1")?.status?.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.status, ready?.message], ["False", "node is shutting down"]);
  await world.createPod("late", {});
  await world.clock.advance(1_000);
  assert.deepEqual([world.phase("late"), world.pod("late")?.status?.reason], ["Failed", "NodeShutdown"]);
});
