import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentWorld, container } from "./agent.fixture.ts";

test("what the runtime's events did not tell is seen within a minute", async () => {
  await using world = new AgentWorld();
  world.runtime.events = (signal) => ({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve) => signal.addEventListener("abort", () => resolve({ done: true, value: undefined }))),
    }),
  });
  world.start();
  await world.createPod("job", { restartPolicy: "Never" }, { "sim.k8ts.dev/run-for-seconds": "3" });
  await world.clock.advance(30_000);
  assert.equal(world.phase("job"), "Running");
  await world.clock.advance(31_000);
  assert.equal(world.phase("job"), "Succeeded");
});

test("a missing config map keeps the container waiting until it is there", async () => {
  await using world = new AgentWorld();
  world.start();
  const env = [{ name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } }];
  await world.createPod("web", { containers: [{ ...container("main"), env }] });
  await world.clock.advance(1_000);
  const waiting = world.pod("web")?.status?.containerStatuses?.[0]?.state?.waiting;
  assert.deepEqual(waiting, { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' });
  assert.equal(world.phase("web"), "Pending");
  await world.client.create(
    { group: "", version: "v1", resource: "configmaps", kind: "ConfigMap", namespaced: true },
    {
      metadata: { name: "settings", namespace: "default" },
      ...{ data: { color: "blue" } },
    },
  );
  await world.clock.advance(11_000);
  assert.equal(world.phase("web"), "Running");
});
