// Deployments on simulated nodes, behaviour by behaviour.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { DeploymentSpec } from "../../../src/api/types/apps/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const labels = { app: "web" };

function template(image: string, readyAfterSeconds = 0) {
  const annotations = { "sim.k8ts.dev/ready-after-seconds": String(readyAfterSeconds) };
  const container = { name: "c", image, readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 } };
  return { metadata: { labels, annotations }, spec: { containers: [container] } };
}

async function create(cluster: Cluster, spec: Partial<DeploymentSpec> = {}) {
  const full = { replicas: 4, selector: { matchLabels: labels }, template: template("web:1"), ...spec };
  await cluster.client.create(resources.deployments, { metadata: { name: "web" }, spec: full }, inDefault);
  await cluster.clock.advance(60_000);
}

const get = (cluster: Cluster) => cluster.client.get(resources.deployments, "web", inDefault);

async function update(cluster: Cluster, spec: object) {
  await cluster.client.patch(resources.deployments, "web", { spec }, merge);
}

/** Image and size of each set that has pods, and how many have none. */
async function sets(cluster: Cluster) {
  const { items } = await cluster.client.list(resources.replicasets, inDefault);
  const texts = items.map(({ spec }) => `${spec?.template?.spec?.containers[0]?.image} ${spec?.replicas}`).sort();
  return texts;
}

async function pods(cluster: Cluster) {
  const { items } = await cluster.client.list(resources.pods, inDefault);
  return items.map(({ spec, metadata }) => ({
    image: spec?.containers[0]?.image ?? "",
    isLeaving: metadata.deletionTimestamp !== undefined,
  }));
}

describe("Deployment", () => {
  it("RollingUpdateDeployment should delete old pods and create new ones, within its limits", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await create(cluster, { template: template("web:1", 3) });
    await update(cluster, { template: template("web:2", 3) });
    for (let seconds = 0; seconds < 120; seconds++) {
      await cluster.clock.advance(1000);
      const { status } = await get(cluster);
      assert.ok((status?.availableReplicas ?? 0) >= 3, "25 % of 4 may be unavailable");
      assert.ok((await pods(cluster)).filter(({ isLeaving }) => !isLeaving).length <= 5, "25 % of 4 may be too many");
    }
    assert.deepEqual(await sets(cluster), ["web:1 0", "web:2 4"]);
    const { status } = await get(cluster);
    assert.deepEqual([status?.updatedReplicas, status?.terminatingReplicas], [4, 0]);
  });

  it("RecreateDeployment should delete old pods and create new ones", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { strategy: { type: "Recreate" } });
    await update(cluster, { template: template("web:2") });
    for (let seconds = 0; seconds < 60; seconds++) {
      await cluster.clock.advance(1000);
      assert.ok(new Set((await pods(cluster)).map(({ image }) => image)).size <= 1, "never both at once");
    }
    assert.deepEqual(await sets(cluster), ["web:1 0", "web:2 4"]);
  });

  it("deployment should delete old replica sets", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { replicas: 1, revisionHistoryLimit: 0 });
    await update(cluster, { template: template("web:2") });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await sets(cluster), ["web:2 1"]);
  });

  it("deployment should support rollover", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, replicas: 2 });
    await update(cluster, { template: template("broken", Number.POSITIVE_INFINITY) });
    await cluster.clock.advance(30_000);
    assert.deepEqual(await sets(cluster), ["broken 1", "web:1 2"]);
    await update(cluster, { template: template("web:3") });
    await cluster.clock.advance(120_000);
    assert.deepEqual(await sets(cluster), ["broken 0", "web:1 0", "web:3 2"]);
  });

  it("deployment should support proportional scaling", async () => {
    await using cluster = await createCluster({ nodes: 4 });
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    await create(cluster, { replicas: 10, strategy });
    await update(cluster, { template: template("broken", Number.POSITIVE_INFINITY) });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await sets(cluster), ["broken 5", "web:1 8"]);
    await update(cluster, { replicas: 30 });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await sets(cluster), ["broken 13", "web:1 20"]);
  });

  it("should have a working scale subresource", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { replicas: 1 });
    await cluster.client.patch(resources.deployments, "web", { spec: { replicas: 2 } }, { ...merge, subresource: "scale" });
    await cluster.clock.advance(30_000);
    assert.equal((await get(cluster)).status?.readyReplicas, 2);
  });

  it("does not roll out while it is paused, and then from where it stands", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { replicas: 2 });
    await update(cluster, { paused: true, template: template("web:2") });
    await cluster.clock.advance(30_000);
    assert.deepEqual(await sets(cluster), ["web:1 2"]);
    const reasons = async () => (await get(cluster)).status?.conditions?.map(({ reason }) => reason);
    assert.ok((await reasons())?.includes("DeploymentPaused"));
    await update(cluster, { paused: false });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await sets(cluster), ["web:1 0", "web:2 2"]);
    assert.ok((await reasons())?.includes("NewReplicaSetAvailable"));
  });

  it("says when the progress deadline is over, and recovers", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { replicas: 1, progressDeadlineSeconds: 60 });
    await update(cluster, { template: template("broken", Number.POSITIVE_INFINITY) });
    const progressing = async () => (await get(cluster)).status?.conditions?.find(({ type }) => type === "Progressing")?.reason;
    await cluster.clock.advance(50_000);
    assert.equal(await progressing(), "ReplicaSetUpdated");
    await cluster.clock.advance(20_000);
    assert.equal(await progressing(), "ProgressDeadlineExceeded");
    await update(cluster, { template: template("web:3") });
    await cluster.clock.advance(60_000);
    assert.equal(await progressing(), "NewReplicaSetAvailable");
  });

  it("makes another name when a set of that name belongs to someone else", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { replicas: 1 });
    const [set] = (await cluster.client.list(resources.replicasets, inDefault)).items;
    assert.ok(set?.spec !== undefined);
    await cluster.client.delete(resources.deployments, "web", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(60_000);
    const { name } = set.metadata;
    const strangers = { app: "other" };
    const spec = {
      ...set.spec,
      replicas: 0,
      selector: { matchLabels: strangers },
      template: { ...template("other"), metadata: { labels: strangers } },
    };
    await cluster.client.create(resources.replicasets, { metadata: { name }, spec }, inDefault);
    await create(cluster, { replicas: 1 });
    const { status } = await get(cluster);
    assert.deepEqual([status?.collisionCount, status?.readyReplicas], [1, 1]);
  });
});
