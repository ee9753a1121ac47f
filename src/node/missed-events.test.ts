import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import { objectModified } from "../machinery/index.ts";
import { AgentWorld, container } from "./agent.fixture.ts";
import type { Runtime } from "./runtime/runtime.ts";

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

test("a sandbox that the runtime makes after its pod has gone is removed", async () => {
  await using world = new AgentWorld();
  const runtime: Runtime = world.runtime;
  const { runSandbox } = runtime;
  runtime.runSandbox = async (config, signal) => {
    const made = world.clock.sleep(60_000).then(() => runSandbox.call(runtime, config));
    const givenUp = new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    return await Promise.race([made, givenUp]);
  };
  world.start();
  await world.createPod("late", {});
  await world.clock.advance(1_000);
  await world.client.delete(resources.pods, "late", { namespace: "default" });
  await world.clock.advance(31_000);
  assert.equal(world.pod("late"), undefined, "the runtime was not waited for any longer");
  await world.clock.advance(30_000);
  assert.deepEqual(await world.runtime.listPods(), []);
});

test("who writes at the same time as others tries again, as long as the pod is there", async () => {
  await using world = new AgentWorld();
  const { client } = world;
  const { patch, delete: remove } = client;
  world.start();
  await world.createPod("contended", {});
  client.patch = () => Promise.reject(objectModified(resources.pods, "contended"));
  await world.clock.advance(1_000);
  client.patch = patch;
  await world.clock.advance(5_000);
  assert.equal(world.phase("contended"), "Running");
  await client.delete(resources.pods, "contended", { namespace: "default" });
  client.delete = () => Promise.reject(objectModified(resources.pods, "contended"));
  await world.clock.advance(1_000);
  client.delete = remove;
  await world.clock.advance(5_000);
  assert.equal(world.pod("contended"), undefined);
});
