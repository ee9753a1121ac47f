import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../src/api/index.ts";
import type { Deployment } from "../../src/api/types/apps/v1.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const inDefault = { namespace: "default" };

function deployment(replicas: number, image = "web:1"): Deployment {
  const labels = { app: "web" };
  return {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "c", image }] } } },
  };
}

async function runningPods(cluster: Cluster) {
  const { items } = await cluster.client.list(resources.pods, inDefault);
  return items.filter((pod) => pod.status?.phase === "Running" && pod.metadata.deletionTimestamp === undefined);
}

/** All that happened to pods and replica sets, in order, and to events. */
async function history(seed: number): Promise<string[]> {
  await using cluster = await createCluster({ seed, nodes: 3 });
  await cluster.client.create(resources.deployments, deployment(6));
  await cluster.clock.advance(60_000);
  const current = await cluster.client.get(resources.deployments, "web", inDefault);
  const template = { ...current.spec?.template, spec: { containers: [{ name: "c", image: "web:2" }] } };
  await cluster.client.patch(resources.deployments, "web", { spec: { template } }, { ...inDefault, type: "application/merge-patch+json" });
  await cluster.clock.advance(3_540_000);
  const pods = await runningPods(cluster);
  const events = await cluster.client.list(resources.events, inDefault);
  return [
    ...pods.map(
      (pod) => `${pod.metadata.name} ${pod.metadata.uid} on ${pod.spec?.nodeName} ${pod.status?.podIP} ${pod.spec?.containers[0]?.image}`,
    ),
    ...events.items.map(
      (event) => `${event.metadata.creationTimestamp} ${event.involvedObject.name} ${event.reason} ${event.message} ${event.count}`,
    ),
  ];
}

describe("a deployment in a cluster of simulated nodes", () => {
  it("runs its pods, spread over the nodes, and reports them available", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await cluster.client.create(resources.deployments, deployment(6));
    await cluster.clock.advance(30_000);
    const pods = await runningPods(cluster);
    assert.equal(pods.length, 6);
    assert.deepEqual(new Set(pods.map((pod) => pod.spec?.nodeName)), new Set(["node-1", "node-2", "node-3"]));
    const { status } = await cluster.client.get(resources.deployments, "web", inDefault);
    assert.deepEqual(
      [status?.readyReplicas, status?.availableReplicas, status?.conditions?.map((each) => each.reason)],
      [6, 6, ["MinimumReplicasAvailable", "NewReplicaSetAvailable"]],
    );
  });

  it("replaces a deleted pod and follows its size", async () => {
    await using cluster = await createCluster();
    await cluster.client.create(resources.deployments, deployment(2));
    await cluster.clock.advance(30_000);
    const [first] = await runningPods(cluster);
    await cluster.client.delete(resources.pods, first?.metadata.name ?? "", inDefault);
    await cluster.clock.advance(60_000);
    const names = (await runningPods(cluster)).map((pod) => pod.metadata.name);
    assert.equal(names.length, 2);
    assert.ok(!names.includes(first?.metadata.name));
    await cluster.client.patch(
      resources.deployments,
      "web",
      { spec: { replicas: 5 } },
      { ...inDefault, type: "application/merge-patch+json" },
    );
    await cluster.clock.advance(30_000);
    assert.equal((await runningPods(cluster)).length, 5);
  });

  it("lives a virtual hour with a rollout in it twice the same way, from the same seed", async () => {
    const first = await history(7);
    assert.equal(first.filter((line) => line.includes("web:2") && line.includes(" on node-")).length, 6);
    assert.deepEqual(await history(7), first);
    assert.notDeepEqual(await history(8), first);
  });
});
