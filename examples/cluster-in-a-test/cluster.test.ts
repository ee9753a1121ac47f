// The tests of docs/tutorial/4-cluster-in-a-test.md.
//   scripts/node --test examples/cluster-in-a-test/cluster.test.ts
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../src/api/index.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const namespace = "default";
const labels = { app: "web" };

async function createWeb({ client }: Cluster, replicas: number, annotations: Record<string, string> = {}) {
  const template = { metadata: { labels, annotations }, spec: { containers: [{ name: "web", image: "web:1" }] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  await client.create(resources.deployments, { metadata: { name: "web" }, spec }, { namespace });
}

test("a deployment runs on all nodes", async () => {
  await using cluster = await createCluster({ nodes: 3 });
  await createWeb(cluster, 6);
  await cluster.clock.advance(30_000);
  const { items } = await cluster.client.list(resources.pods, { namespace });
  assert.deepEqual(new Set(items.map((pod) => pod.spec?.nodeName)), new Set(["node-1", "node-2", "node-3"]));
  assert.ok(items.every((pod) => pod.status?.phase === "Running"));
});

test("a container that fails is started again, less and less often", async () => {
  await using cluster = await createCluster();
  await createWeb(cluster, 1, { "sim.k8ts.dev/run-for-seconds": "1", "sim.k8ts.dev/exit-code": "1" });
  await cluster.clock.advance(10 * 60_000);
  const { items } = await cluster.client.list(resources.pods, { namespace });
  const [container] = items[0]?.status?.containerStatuses ?? [];
  assert.equal(container?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.ok((container?.restartCount ?? 0) >= 5 && (container?.restartCount ?? 0) < 10);
});

test("a node that lost its power starts its pods again", async () => {
  await using cluster = await createCluster({ nodes: 1 });
  await createWeb(cluster, 2);
  await cluster.clock.advance(30_000);
  await cluster.stopNode("node-1");
  await cluster.clock.advance(10_000);
  const backMs = cluster.clock.now();
  cluster.startNode(1);
  await cluster.clock.advance(30_000);
  const { items } = await cluster.client.list(resources.pods, { namespace });
  const started = items.map((pod) => Date.parse(pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? ""));
  assert.equal(started.length, 2);
  assert.ok(started.every((startedMs) => startedMs >= backMs));
});

test("the pods of a lost node are replaced on the others", async () => {
  await using cluster = await createCluster({ nodes: 3 });
  await createWeb(cluster, 6);
  await cluster.clock.advance(30_000);
  await cluster.stopNode("node-2");
  await cluster.clock.advance(7 * 60_000);
  const { items } = await cluster.client.list(resources.pods, { namespace });
  const staying = items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  assert.equal(staying.length, 6);
  assert.ok(staying.every((pod) => pod.spec?.nodeName !== "node-2" && pod.status?.phase === "Running"));
});
