// Disruption budgets and evictions on simulated nodes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { PodDisruptionBudgetSpec } from "../../../src/api/types/policy/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const labels = { app: "web" };

async function start(replicas: number, spec: PodDisruptionBudgetSpec): Promise<Cluster> {
  const cluster = await createCluster({ nodes: 1 });
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "web" }] } };
  await cluster.client.create(
    resources.deployments,
    { metadata: { name: "web" }, spec: { replicas, selector: { matchLabels: labels }, template } },
    inDefault,
  );
  await cluster.client.create(
    resources.poddisruptionbudgets,
    { metadata: { name: "web" }, spec: { selector: { matchLabels: labels }, ...spec } },
    inDefault,
  );
  await cluster.clock.advance(30_000);
  return cluster;
}

const status = async (cluster: Cluster) => (await cluster.client.get(resources.poddisruptionbudgets, "web", inDefault)).status;

async function evict(cluster: Cluster): Promise<string> {
  const { items } = await cluster.client.list(resources.pods, inDefault);
  const name = items.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata.name ?? "";
  await cluster.client.createSubresource(resources.pods, name, "eviction", { metadata: { name } }, inDefault);
  return name;
}

describe("DisruptionController", () => {
  it("should observe the status of pods and their controllers", async () => {
    await using cluster = await start(4, { maxUnavailable: "25%" });
    const { conditions, ...counts } = (await status(cluster)) ?? {};
    assert.deepEqual(counts, { currentHealthy: 4, desiredHealthy: 3, disruptionsAllowed: 1, expectedPods: 4, observedGeneration: 1 });
    assert.deepEqual(
      conditions?.map(({ type, reason }) => [type, reason]),
      [["DisruptionAllowed", "SufficientPods"]],
    );
    await cluster.client.patch(resources.deployments, "web", { spec: { replicas: 8 } }, merge);
    await cluster.clock.advance(30_000);
    assert.deepEqual([(await status(cluster))?.expectedPods, (await status(cluster))?.disruptionsAllowed], [8, 2]);
  });

  it("should block an eviction until the PDB is updated to allow it", async () => {
    await using cluster = await start(3, { minAvailable: 3 });
    await assert.rejects(evict(cluster), /Cannot evict pod as it would violate the pod's disruption budget/);
    await cluster.client.patch(resources.poddisruptionbudgets, "web", { spec: { minAvailable: 2 } }, merge);
    await cluster.clock.advance(1000);
    const name = await evict(cluster);
    await cluster.clock.advance(60_000);
    const { items } = await cluster.client.list(resources.pods, inDefault);
    assert.deepEqual([items.length, items.some(({ metadata }) => metadata.name === name)], [3, false]);
    assert.equal((await status(cluster))?.disruptionsAllowed, 1, "the pod's successor counts");
  });

  it("allows nothing when the number of pods cannot be known, until it can", async () => {
    await using cluster = await start(1, { maxUnavailable: 1 });
    const owner = { apiVersion: "example.com/v1", kind: "Thing", name: "t", uid: "t", controller: true };
    const spec = { containers: [{ name: "c", image: "web" }] };
    await cluster.client.create(resources.pods, { metadata: { name: "odd", labels, ownerReferences: [owner] }, spec }, inDefault);
    await cluster.clock.advance(1000);
    assert.equal((await status(cluster))?.conditions?.[0]?.reason, "SyncFailed");
    assert.equal((await status(cluster))?.conditions?.[0]?.message, 'found no controllers for pod "odd"');
    await cluster.client.delete(resources.pods, "odd", inDefault);
    await cluster.clock.advance(60_000);
    assert.equal((await status(cluster))?.conditions?.[0]?.reason, "SufficientPods");
  });
});
