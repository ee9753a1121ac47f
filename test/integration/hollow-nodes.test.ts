import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../src/api/index.ts";
import { SeededRandom, silentLogger } from "../../src/base/index.ts";
import { SharedInformers } from "../../src/client/index.ts";
import { HollowCluster, hollowNodes } from "../../src/node/index.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const machine = {
  cpus: 8,
  memoryBytes: 2 ** 34,
  kernel: "6",
  osImage: "hollow",
  bootId: "",
  machineId: "",
  systemUuid: "",
  architecture: "amd64",
};

/** Hollow nodes beside a cluster in this process; answers how to end them. */
function startHollow(cluster: Cluster, count: number): { readonly hollow: HollowCluster; stop(): Promise<void> } {
  const { client, clock } = cluster;
  const random = new SeededRandom(5);
  const common = { client, clock, random, logger: silentLogger };
  const hollow = new HollowCluster({
    ...common,
    informers: new SharedInformers(common),
    nodes: hollowNodes(count),
    nodeIp: "127.0.0.1",
    kubeletPort: 1,
    machine,
    maxPods: 110,
    behaviours: () => ({ cpuCores: 0.1 }),
  });
  const stop = new AbortController();
  const running = hollow.run(stop.signal);
  return {
    hollow,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

async function readiness(cluster: Cluster): Promise<Record<string, string | undefined>> {
  const { items } = await cluster.client.list(resources.nodes);
  return Object.fromEntries(
    items.map(({ metadata, status }) => [metadata.name, status?.conditions?.find(({ type }) => type === "Ready")?.status]),
  );
}

describe("hollow nodes in a cluster", () => {
  it("register, live, and run the pods that are placed on them", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const { hollow, stop } = startHollow(cluster, 20);
    await cluster.clock.advance(20_000);
    assert.deepEqual(new Set(Object.values(await readiness(cluster))), new Set(["True"]));
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "none" }] } };
    const spec = { replicas: 60, selector: { matchLabels: labels }, template };
    await cluster.client.create(resources.deployments, { metadata: { name: "web", namespace: "default" }, spec });
    await cluster.clock.advance(30_000);
    const { status } = await cluster.client.get(resources.deployments, "web", { namespace: "default" });
    assert.equal(status?.availableReplicas, 60);
    const { items } = await cluster.client.list(resources.pods, { namespace: "default" });
    assert.equal(new Set(items.map((pod) => pod.status?.podIP)).size, 60);
    assert.equal(hollow.usageOf("hollow-1")?.containers.length, items.filter(({ spec: at }) => at?.nodeName === "hollow-1").length);
    await cluster.clock.advance(600_000);
    assert.deepEqual(new Set(Object.values(await readiness(cluster))), new Set(["True"]));
    await cluster.client.delete(resources.deployments, "web", { namespace: "default", options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(60_000);
    assert.deepEqual((await cluster.client.list(resources.pods)).items, []);
    await stop();
  });

  it("fall silent when their process ends, and come back with it, fewer than before", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const first = startHollow(cluster, 3);
    await cluster.clock.advance(20_000);
    await first.stop();
    await cluster.clock.advance(120_000);
    assert.deepEqual(await readiness(cluster), { "hollow-1": "Unknown", "hollow-2": "Unknown", "hollow-3": "Unknown" });
    const second = startHollow(cluster, 2);
    await cluster.clock.advance(20_000);
    assert.deepEqual(await readiness(cluster), { "hollow-1": "True", "hollow-2": "True" });
    await second.stop();
  });
});
