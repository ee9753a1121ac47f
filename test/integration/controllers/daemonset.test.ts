// DaemonSets on simulated nodes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { DaemonSet } from "../../../src/api/types/apps/v1.ts";
import type { PodTemplateSpec } from "../../../src/api/types/core/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const labels = { app: "agent" };

function template(image: string, extra: Partial<PodTemplateSpec["spec"]> = {}, annotations?: Record<string, string>): PodTemplateSpec {
  return { metadata: { labels, annotations }, spec: { containers: [{ name: "main", image }], ...extra } };
}

async function create(cluster: Cluster, spec: Partial<NonNullable<DaemonSet["spec"]>> = {}) {
  const set = { metadata: { name: "agent" }, spec: { selector: { matchLabels: labels }, template: template("agent:1"), ...spec } };
  await cluster.client.create(resources.daemonsets, set, inDefault);
  await cluster.clock.advance(30_000);
}

const get = (cluster: Cluster) => cluster.client.get(resources.daemonsets, "agent", inDefault);

async function update(cluster: Cluster, spec: object) {
  await cluster.client.patch(resources.daemonsets, "agent", { spec }, { ...inDefault, type: "application/merge-patch+json" });
}

async function pods(cluster: Cluster) {
  const { items } = await cluster.client.list(resources.pods, { ...inDefault, labelSelector: "app=agent" });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function nodesAndImages(cluster: Cluster) {
  return (await pods(cluster)).map(({ spec }) => `${spec?.nodeName} ${spec?.containers[0]?.image}`).sort();
}

async function revisions(cluster: Cluster) {
  const { items } = await cluster.client.list(resources.controllerrevisions, inDefault);
  return items.map(({ revision }) => revision).sort((a, b) => a - b);
}

async function label(cluster: Cluster, node: string, color: string | null) {
  await cluster.client.patch(resources.nodes, node, { metadata: { labels: { color } } }, { type: "application/merge-patch+json" });
  await cluster.clock.advance(60_000);
}

describe("Daemon set", () => {
  it("should run and stop simple daemon", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await create(cluster);
    assert.deepEqual(await nodesAndImages(cluster), ["node-1 agent:1", "node-2 agent:1", "node-3 agent:1"]);
    const { status, metadata } = await get(cluster);
    assert.deepEqual(status, {
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      numberAvailable: 3,
      updatedNumberScheduled: 3,
      observedGeneration: metadata.generation,
    });
    const [first] = await pods(cluster);
    await cluster.client.delete(resources.pods, first?.metadata.name ?? "", inDefault);
    await cluster.clock.advance(60_000);
    assert.equal((await nodesAndImages(cluster)).length, 3);
    await cluster.client.delete(resources.daemonsets, "agent", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await pods(cluster), []);
    assert.deepEqual(await revisions(cluster), []);
  });

  it("should run and stop complex daemon", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { template: template("agent:1", { nodeSelector: { color: "blue" } }) });
    assert.deepEqual(await nodesAndImages(cluster), []);
    await label(cluster, "node-2", "blue");
    assert.deepEqual(await nodesAndImages(cluster), ["node-2 agent:1"]);
    await label(cluster, "node-2", "green");
    assert.deepEqual(await nodesAndImages(cluster), []);
    await update(cluster, { template: { spec: { nodeSelector: { color: "green" } } }, updateStrategy: { type: "RollingUpdate" } });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await nodesAndImages(cluster), ["node-2 agent:1"]);
    assert.equal((await get(cluster)).status?.numberAvailable, 1);
  });

  it("runs on a node that joins, tolerates a cordon and leaves a tainted node alone", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    const merge = { type: "application/merge-patch+json" } as const;
    await create(cluster);
    cluster.startNode(2);
    await cluster.clock.advance(60_000);
    assert.deepEqual(await nodesAndImages(cluster), ["node-1 agent:1", "node-2 agent:1"]);
    await cluster.client.patch(resources.nodes, "node-1", { spec: { unschedulable: true } }, merge);
    await cluster.clock.advance(60_000);
    assert.equal((await pods(cluster)).length, 2);
    await cluster.client.patch(resources.nodes, "node-2", { spec: { taints: [{ key: "private", effect: "NoSchedule" }] } }, merge);
    await cluster.clock.advance(60_000);
    assert.equal((await pods(cluster)).length, 2, "a pod that is there may stay");
    assert.equal((await get(cluster)).status?.numberMisscheduled, 1);
  });

  it("should retry creating failed daemon pods", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster);
    const [first] = await pods(cluster);
    assert.ok(first !== undefined);
    const { name = "" } = first.metadata;
    await cluster.client.update(
      resources.pods,
      { ...first, status: { ...first.status, phase: "Failed" } },
      { ...inDefault, subresource: "status" },
    );
    await cluster.clock.advance(60_000);
    const after = await pods(cluster);
    assert.equal(after.filter(({ status }) => status?.phase === "Running").length, 2);
    assert.ok(after.every(({ metadata }) => metadata.name !== name));
  });

  it("should update pod when spec was updated and update strategy is RollingUpdate", async () => {
    await using cluster = await createCluster({ nodes: 4 });
    await create(cluster, { template: template("agent:1", {}, { "sim.k8ts.dev/ready-after-seconds": "20" }) });
    await cluster.clock.advance(60_000);
    await update(cluster, { template: { spec: { containers: [{ name: "main", image: "agent:2" }] } } });
    for (let seconds = 0; seconds < 300; seconds++) {
      await cluster.clock.advance(1000);
      assert.ok(((await get(cluster)).status?.numberUnavailable ?? 0) <= 1, "one node at a time");
    }
    assert.deepEqual(
      await nodesAndImages(cluster),
      [1, 2, 3, 4].map((node) => `node-${node} agent:2`),
    );
    assert.deepEqual(await revisions(cluster), [1, 2]);
    const [pod] = await pods(cluster);
    const { items } = await cluster.client.list(resources.controllerrevisions, inDefault);
    const newest = items.find(({ revision }) => revision === 2);
    assert.equal(pod?.metadata.labels?.["controller-revision-hash"], newest?.metadata.labels?.["controller-revision-hash"]);
    assert.equal(pod?.metadata.labels?.["pod-template-generation"], "2");
  });

  it("should rollback without unnecessary restarts", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await create(cluster);
    const before = new Set((await pods(cluster)).map(({ metadata }) => metadata.uid));
    const { items } = await cluster.client.list(resources.controllerrevisions, inDefault);
    // The new image never becomes ready, so that the update stops at the first node.
    const annotations = { "sim.k8ts.dev/ready-after-seconds": "Infinity" };
    const readinessProbe = { exec: { command: ["true"] } };
    const broken = { metadata: { annotations }, spec: { containers: [{ name: "main", image: "broken", readinessProbe }] } };
    await update(cluster, { template: broken });
    await cluster.clock.advance(60_000);
    assert.equal((await pods(cluster)).filter(({ metadata }) => before.has(metadata.uid)).length, 2);
    const undo = items[0]?.data;
    await cluster.client.patch(resources.daemonsets, "agent", undo, { ...inDefault, type: "application/strategic-merge-patch+json" });
    await cluster.clock.advance(60_000);
    const after = await pods(cluster);
    assert.equal(after.filter(({ metadata }) => before.has(metadata.uid)).length, 2);
    assert.deepEqual(
      await nodesAndImages(cluster),
      [1, 2, 3].map((node) => `node-${node} agent:1`),
    );
    assert.deepEqual(await revisions(cluster), [2, 3]);
  });

  it("surges: starts the new pod before the old one ends", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const annotations = { "sim.k8ts.dev/ready-after-seconds": "5" };
    await create(cluster, { updateStrategy: { type: "RollingUpdate", rollingUpdate }, template: template("agent:1", {}, annotations) });
    await update(cluster, { template: { spec: { containers: [{ name: "main", image: "agent:2" }] } } });
    for (let seconds = 0; seconds < 90; seconds++) {
      await cluster.clock.advance(1000);
      assert.equal((await get(cluster)).status?.numberUnavailable ?? 0, 0);
    }
    assert.deepEqual(await nodesAndImages(cluster), ["node-1 agent:2", "node-2 agent:2"]);
  });

  it("replaces pods only when they are deleted, by the OnDelete strategy", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { updateStrategy: { type: "OnDelete" } });
    await update(cluster, { template: { spec: { containers: [{ name: "main", image: "agent:2" }] } } });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await nodesAndImages(cluster), ["node-1 agent:1", "node-2 agent:1"]);
    const [first] = await pods(cluster);
    await cluster.client.delete(resources.pods, first?.metadata.name ?? "", inDefault);
    await cluster.clock.advance(60_000);
    assert.equal((await nodesAndImages(cluster)).filter((text) => text.endsWith("agent:2")).length, 1);
    assert.equal((await get(cluster)).status?.updatedNumberScheduled, 1);
  });

  it("keeps as many revisions as its history limit says", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { revisionHistoryLimit: 1 });
    for (const image of ["agent:2", "agent:3", "agent:4"]) {
      await update(cluster, { template: { spec: { containers: [{ name: "main", image }] } } });
      await cluster.clock.advance(60_000);
    }
    assert.deepEqual(await revisions(cluster), [3, 4]);
  });

  it("merges revisions of the same template, without a restart", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster);
    await cluster.clock.advance(10_000);
    const before = (await cluster.client.list(resources.pods, inDefault)).items.map(({ metadata }) => metadata.uid).sort();
    const [own] = (await cluster.client.list(resources.controllerrevisions, inDefault)).items;
    assert.ok(own !== undefined);
    const { name: _, uid: __, resourceVersion: ___, ...metadata } = own.metadata;
    const labels = { ...metadata.labels, "controller-revision-hash": "twin" };
    await cluster.client.create(
      resources.controllerrevisions,
      { ...own, metadata: { ...metadata, name: "twin", labels }, revision: 7 },
      inDefault,
    );
    await cluster.client.patch(
      resources.daemonsets,
      "agent",
      { metadata: { annotations: { seen: "true" } } },
      { ...inDefault, type: "application/merge-patch+json" },
    );
    await cluster.clock.advance(10_000);
    assert.deepEqual(await revisions(cluster), [7]);
    const pods = (await cluster.client.list(resources.pods, inDefault)).items;
    assert.deepEqual(pods.map((pod) => pod.metadata.uid).sort(), before);
    assert.deepEqual([...new Set(pods.map((pod) => pod.metadata.labels?.["controller-revision-hash"]))], ["twin"]);
  });

  it("makes another name when a revision of that name belongs to someone else", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster);
    const [own] = (await cluster.client.list(resources.controllerrevisions, inDefault)).items;
    await cluster.client.delete(resources.daemonsets, "agent", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(60_000);
    const stranger = { metadata: { name: own?.metadata.name }, data: { other: true }, revision: 1 };
    await cluster.client.create(resources.controllerrevisions, stranger, inDefault);
    await create(cluster);
    const { status } = await get(cluster);
    assert.deepEqual([status?.collisionCount, status?.numberAvailable], [1, 1]);
  });
});
