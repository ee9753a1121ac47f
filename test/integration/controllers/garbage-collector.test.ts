import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { garbageCollectorController } from "../../../src/controllers/index.ts";
import type { ObjectMeta, OwnerReference } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

function startCluster() {
  return ControllerCluster.start((context) =>
    garbageCollectorController(context, { resources: () => [resources.configmaps, resources.secrets, resources.namespaces] }),
  );
}

async function createMap(cluster: ControllerCluster, name: string, metadata: Partial<ObjectMeta> = {}) {
  const { metadata: made } = await cluster.create(resources.configmaps, { metadata: { name, ...metadata } });
  return { apiVersion: "v1", kind: "ConfigMap", name, uid: made.uid ?? "" };
}

const blocking = (owner: OwnerReference) => ({ ownerReferences: [{ ...owner, blockOwnerDeletion: true }] });
const deleteWith = (cluster: ControllerCluster, name: string, propagationPolicy: string) =>
  cluster.client.delete(resources.configmaps, name, { namespace: "default", options: { propagationPolicy } });
const names = async (cluster: ControllerCluster) =>
  (await cluster.names(resources.configmaps, "default")).filter((name) => !name.startsWith("kube-"));

describe("garbage collector", () => {
  it("deletes dependents and theirs behind an owner in the background", async () => {
    await using cluster = await startCluster();
    const owner = await createMap(cluster, "owner");
    const child = await createMap(cluster, "child", { ownerReferences: [owner] });
    await createMap(cluster, "grandchild", { ownerReferences: [child] });
    await createMap(cluster, "other");
    await deleteWith(cluster, "owner", "Background");
    await cluster.clock.advance(100);
    assert.deepEqual(await names(cluster), ["other"]);
  });

  it("keeps an owner that is deleted in the foreground until its blocking dependents are gone", async () => {
    await using cluster = await startCluster();
    const owner = await createMap(cluster, "owner");
    await createMap(cluster, "kept", { ...blocking(owner), finalizers: ["example.com/keep"] });
    await deleteWith(cluster, "owner", "Foreground");
    await cluster.clock.advance(100);
    assert.deepEqual(await names(cluster), ["kept", "owner"]);
    const kept = await cluster.client.get(resources.configmaps, "kept", { namespace: "default" });
    assert.notEqual(kept.metadata.deletionTimestamp, undefined);
    await cluster.client.update(resources.configmaps, { ...kept, metadata: { ...kept.metadata, finalizers: [] } });
    await cluster.clock.advance(100);
    assert.deepEqual(await names(cluster), []);
  });

  it("takes the owner off the dependents that are to be orphaned", async () => {
    await using cluster = await startCluster();
    const owner = await createMap(cluster, "owner");
    await createMap(cluster, "child", { ownerReferences: [owner] });
    await deleteWith(cluster, "owner", "Orphan");
    await cluster.clock.advance(100);
    assert.deepEqual(await names(cluster), ["child"]);
    const child = await cluster.client.get(resources.configmaps, "child", { namespace: "default" });
    assert.deepEqual(child.metadata.ownerReferences ?? [], []);
  });

  it("deletes what names an owner that never was, and keeps what has another one", async () => {
    await using cluster = await startCluster();
    const owner = await createMap(cluster, "owner");
    const nobody = { ...owner, name: "nobody", uid: "00000000-0000-4000-8000-000000000000" };
    await createMap(cluster, "lost", { ownerReferences: [nobody] });
    await createMap(cluster, "replaced", { ownerReferences: [{ ...owner, uid: nobody.uid }] });
    await createMap(cluster, "shared", { ownerReferences: [nobody, owner] });
    await cluster.clock.advance(2000);
    assert.deepEqual(await names(cluster), ["owner", "shared"]);
  });

  it("does not follow a reference into another namespace, and says so", async () => {
    await using cluster = await startCluster();
    await cluster.createNamespace("other");
    const owner = await createMap(cluster, "owner");
    await createMap(cluster, "stray", { namespace: "other", ownerReferences: [owner] });
    await cluster.clock.advance(2000);
    assert.deepEqual(await cluster.names(resources.configmaps, "other"), []);
    assert.deepEqual(await cluster.events("OwnerRefInvalidNamespace"), [
      `ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: ${owner.uid}] does not exist in namespace "other"`,
    ]);
  });

  it("breaks a circle of owners that wait for each other", async () => {
    await using cluster = await startCluster();
    const a = await createMap(cluster, "a");
    const b = await createMap(cluster, "b", blocking(a));
    const stored = await cluster.client.get(resources.configmaps, "a", { namespace: "default" });
    await cluster.client.update(resources.configmaps, { ...stored, metadata: { ...stored.metadata, ...blocking(b) } });
    await cluster.clock.advance(100);
    await deleteWith(cluster, "a", "Foreground");
    await cluster.clock.advance(5000);
    assert.deepEqual(await names(cluster), []);
  });

  it("deletes two thousand dependents at once", async () => {
    await using cluster = await startCluster();
    const owner = await createMap(cluster, "owner");
    for (let i = 0; i < 2000; i++) await createMap(cluster, `child-${i}`, { ownerReferences: [owner] });
    await deleteWith(cluster, "owner", "Background");
    await cluster.clock.advance(1000);
    assert.deepEqual(await names(cluster), []);
  });
});
