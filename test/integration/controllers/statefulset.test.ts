// StatefulSets on simulated nodes, and their claims over a bare API server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { StatefulSet, StatefulSetSpec } from "../../../src/api/types/apps/v1.ts";
import { claimProtectionController, garbageCollectorController, statefulSetController } from "../../../src/controllers/index.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const labels = { app: "db" };

function statefulSet(spec: Partial<StatefulSetSpec> = {}, image = "db:1"): StatefulSet {
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image }] } };
  return { metadata: { name: "db" }, spec: { replicas: 3, serviceName: "db", selector: { matchLabels: labels }, template, ...spec } };
}

async function pods(cluster: Cluster | ControllerCluster) {
  const { items } = await cluster.client.list(resources.pods, inDefault);
  return [...items].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
}

const get = (cluster: Cluster) => cluster.client.get(resources.statefulsets, "db", inDefault);

async function images(cluster: Cluster) {
  return (await pods(cluster)).map(({ metadata, spec }) => `${metadata.name} ${spec?.containers[0]?.image}`);
}

async function update(cluster: Cluster, spec: object) {
  await cluster.client.patch(resources.statefulsets, "db", { spec }, merge);
}

const withImage = (image: string) => ({ template: { spec: { containers: [{ name: "c", image }] } } });

/** The order in which pods first were there, and in which they went away. */
async function watchPods(cluster: Cluster): Promise<{ readonly log: string[]; readonly stop: () => void }> {
  const log: string[] = [];
  const abort = new AbortController();
  const follow = async () => {
    for await (const events of cluster.client.watch(resources.pods, { ...inDefault, signal: abort.signal })) {
      for (const event of events) {
        if (event.type === "ADDED") log.push(`+${event.object.metadata.name}`);
        if (event.type === "DELETED") log.push(`-${event.object.metadata.name}`);
      }
    }
  };
  void follow().catch(() => {});
  return { log, stop: () => abort.abort() };
}

describe("StatefulSet", () => {
  it("should happen in predictable order and halt if any stateful pod is unhealthy", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    const { log, stop } = await watchPods(cluster);
    const template = { metadata: { labels, annotations: { "sim.k8ts.dev/ready-after-seconds": "Infinity" } } };
    const readinessProbe = { exec: { command: ["true"] } };
    const unready = { ...template, spec: { containers: [{ name: "c", image: "db:1", readinessProbe }] } };
    await cluster.client.create(resources.statefulsets, statefulSet({ template: unready }), inDefault);
    await cluster.clock.advance(60_000);
    assert.deepEqual(log, ["+db-0"], "the first is not ready");
    await cluster.client.delete(resources.statefulsets, "db", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(60_000);
    log.length = 0;
    await cluster.client.create(resources.statefulsets, statefulSet(), inDefault);
    await cluster.clock.advance(60_000);
    await update(cluster, { replicas: 0 });
    await cluster.clock.advance(120_000);
    assert.deepEqual(log, ["+db-0", "+db-1", "+db-2", "-db-2", "-db-1", "-db-0"]);
    stop();
  });

  it("should run burst scaling to completion even with unhealthy pods", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    const readinessProbe = { exec: { command: ["true"] } };
    const template = {
      metadata: { labels, annotations: { "sim.k8ts.dev/ready-after-seconds": "Infinity" } },
      spec: { containers: [{ name: "c", image: "db:1", readinessProbe }] },
    };
    await cluster.client.create(resources.statefulsets, statefulSet({ template, podManagementPolicy: "Parallel" }), inDefault);
    await cluster.clock.advance(30_000);
    assert.equal((await pods(cluster)).length, 3);
    await update(cluster, { replicas: 5 });
    await cluster.clock.advance(30_000);
    assert.equal((await pods(cluster)).length, 5);
    await update(cluster, { replicas: 0 });
    await cluster.clock.advance(60_000);
    assert.equal((await pods(cluster)).length, 0);
  });

  it("should perform rolling updates and roll backs of template modifications", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await cluster.client.create(resources.statefulsets, statefulSet(), inDefault);
    await cluster.clock.advance(60_000);
    const first = await get(cluster);
    assert.equal(first.status?.currentRevision, first.status?.updateRevision);
    const { log, stop } = await watchPods(cluster);
    await cluster.clock.advance(1000);
    log.length = 0;
    await update(cluster, withImage("db:2"));
    await cluster.clock.advance(180_000);
    assert.deepEqual(log, ["-db-2", "+db-2", "-db-1", "+db-1", "-db-0", "+db-0"]);
    assert.deepEqual(await images(cluster), ["db-0 db:2", "db-1 db:2", "db-2 db:2"]);
    const updated = await get(cluster);
    assert.notEqual(updated.status?.currentRevision, first.status?.currentRevision);
    assert.equal(updated.status?.currentRevision, updated.status?.updateRevision);
    await update(cluster, withImage("db:1"));
    await cluster.clock.advance(180_000);
    assert.equal((await get(cluster)).status?.currentRevision, first.status?.currentRevision, "the revision returns");
    assert.deepEqual(await images(cluster), ["db-0 db:1", "db-1 db:1", "db-2 db:1"]);
    stop();
  });

  it("should perform canary updates and phased rolling updates of template modifications", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    const partition = (value: number) => ({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: value } } });
    await cluster.client.create(resources.statefulsets, statefulSet(partition(3)), inDefault);
    await cluster.clock.advance(60_000);
    await update(cluster, withImage("db:2"));
    await cluster.clock.advance(60_000);
    assert.deepEqual(await images(cluster), ["db-0 db:1", "db-1 db:1", "db-2 db:1"]);
    await update(cluster, partition(2));
    await cluster.clock.advance(60_000);
    assert.deepEqual(await images(cluster), ["db-0 db:1", "db-1 db:1", "db-2 db:2"]);
    for (const name of ["db-0", "db-2"]) await cluster.client.delete(resources.pods, name, inDefault);
    await cluster.clock.advance(120_000);
    assert.deepEqual(await images(cluster), ["db-0 db:1", "db-1 db:1", "db-2 db:2"], "each comes back as it was");
    await update(cluster, partition(0));
    await cluster.clock.advance(180_000);
    assert.deepEqual(await images(cluster), ["db-0 db:2", "db-1 db:2", "db-2 db:2"]);
  });

  it("should recreate evicted statefulset pods, and ones that failed", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await cluster.client.create(resources.statefulsets, statefulSet({ replicas: 1 }), inDefault);
    await cluster.clock.advance(30_000);
    const [pod] = await pods(cluster);
    assert.ok(pod !== undefined);
    const failed = { ...pod, status: { ...pod.status, phase: "Failed" } };
    await cluster.client.update(resources.pods, failed, { ...inDefault, subresource: "status" });
    await cluster.clock.advance(60_000);
    const [again] = await pods(cluster);
    assert.equal(again?.metadata.name, "db-0");
    assert.notEqual(again?.metadata.uid, pod.metadata.uid);
    assert.equal(again?.status?.phase, "Running");
  });

  it("should have a working scale subresource", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await cluster.client.create(resources.statefulsets, statefulSet({ replicas: 1 }), inDefault);
    await cluster.clock.advance(30_000);
    await cluster.client.patch(resources.statefulsets, "db", { spec: { replicas: 2 } }, { ...merge, subresource: "scale" });
    await cluster.clock.advance(30_000);
    assert.equal((await pods(cluster)).length, 2);
    assert.equal((await get(cluster)).status?.readyReplicas, 2);
  });

  it("gives back the labels of a pod's identity", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await cluster.client.create(resources.statefulsets, statefulSet({ replicas: 1 }), inDefault);
    await cluster.clock.advance(30_000);
    await cluster.client.patch(resources.pods, "db-0", { metadata: { labels: { "apps.kubernetes.io/pod-index": null } } }, merge);
    await cluster.clock.advance(30_000);
    const [pod] = await pods(cluster);
    assert.equal(pod?.metadata.labels?.["apps.kubernetes.io/pod-index"], "0");
  });
});

const claimTemplate = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };

async function startWithClaims(policy: StatefulSetSpec["persistentVolumeClaimRetentionPolicy"]) {
  const collected = [resources.pods, resources.statefulsets, resources.persistentvolumeclaims, resources.controllerrevisions];
  const cluster = await ControllerCluster.start(statefulSetController, claimProtectionController, (context) =>
    garbageCollectorController(context, { resources: () => collected }),
  );
  await cluster.create(resources.serviceaccounts, { metadata: { name: "default" } });
  const { metadata, spec } = statefulSet({
    replicas: 2,
    podManagementPolicy: "Parallel",
    volumeClaimTemplates: [claimTemplate],
    persistentVolumeClaimRetentionPolicy: policy,
  });
  await cluster.create(resources.statefulsets, { metadata, spec });
  await cluster.clock.advance(1000);
  return cluster;
}

async function scale(cluster: ControllerCluster, replicas: number) {
  await cluster.client.patch(resources.statefulsets, "db", { spec: { replicas } }, merge);
  await cluster.clock.advance(5000);
}

const claims = (cluster: ControllerCluster) => cluster.names(resources.persistentvolumeclaims);

describe("a stateful set's claims", () => {
  it("are one for each pod, and stay when the pods go", async () => {
    await using cluster = await startWithClaims(undefined);
    assert.deepEqual(await claims(cluster), ["data-db-0", "data-db-1"]);
    const [pod] = await pods(cluster);
    assert.equal(pod?.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName, "data-db-0");
    const claim = await cluster.client.get(resources.persistentvolumeclaims, "data-db-0", inDefault);
    assert.deepEqual([claim.metadata.labels, claim.metadata.ownerReferences], [labels, undefined]);
    await scale(cluster, 1);
    assert.deepEqual(await claims(cluster), ["data-db-0", "data-db-1"]);
    await cluster.client.delete(resources.statefulsets, "db", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(10_000);
    assert.deepEqual([await claims(cluster), await pods(cluster)], [["data-db-0", "data-db-1"], []]);
    assert.deepEqual(await cluster.events("FailedCreate"), []);
  });

  it("go with the set when the policy says so", async () => {
    await using cluster = await startWithClaims({ whenDeleted: "Delete", whenScaled: "Retain" });
    await scale(cluster, 1);
    assert.deepEqual(await claims(cluster), ["data-db-0", "data-db-1"]);
    await cluster.client.delete(resources.statefulsets, "db", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(10_000);
    assert.deepEqual(await claims(cluster), []);
  });

  it("go with the pods that scaling takes away when the policy says so, and come anew", async () => {
    await using cluster = await startWithClaims({ whenDeleted: "Retain", whenScaled: "Delete" });
    const before = await cluster.client.get(resources.persistentvolumeclaims, "data-db-1", inDefault);
    await scale(cluster, 1);
    assert.deepEqual(await claims(cluster), ["data-db-0"]);
    await scale(cluster, 2);
    assert.deepEqual(await claims(cluster), ["data-db-0", "data-db-1"]);
    const after = await cluster.client.get(resources.persistentvolumeclaims, "data-db-1", inDefault);
    assert.notEqual(after.metadata.uid, before.metadata.uid);
    assert.equal(after.metadata.ownerReferences, undefined);
  });

  it("change their owner when the policy changes", async () => {
    await using cluster = await startWithClaims({ whenDeleted: "Retain", whenScaled: "Retain" });
    const policy = (whenDeleted: string) => ({ spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted } } });
    await cluster.client.patch(resources.statefulsets, "db", policy("Delete"), merge);
    await cluster.clock.advance(1000);
    const owned = await cluster.client.get(resources.persistentvolumeclaims, "data-db-0", inDefault);
    assert.deepEqual(
      owned.metadata.ownerReferences?.map(({ kind }) => kind),
      ["StatefulSet"],
    );
    await cluster.client.patch(resources.statefulsets, "db", policy("Retain"), merge);
    await cluster.clock.advance(1000);
    const free = await cluster.client.get(resources.persistentvolumeclaims, "data-db-0", inDefault);
    assert.equal(free.metadata.ownerReferences, undefined);
    const before = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), before, "nothing is written at rest");
  });
});
