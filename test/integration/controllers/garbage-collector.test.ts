// What becomes of objects whose owners are deleted, over a whole API server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { builtInCatalog, resources } from "../../../src/api/index.ts";
import type { Deployment } from "../../../src/api/types/apps/v1.ts";
import {
  type ControllerContext,
  deletableResources,
  deploymentController,
  garbageCollectorController,
  replicaSetController,
  serviceAccountController,
} from "../../../src/controllers/index.ts";
import type { DeepReadonly, KubeObject, OwnerReference } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const deletable = deletableResources(builtInCatalog());
const collector = (context: ControllerContext) => garbageCollectorController(context, { resources: () => deletable });
const NO_UID = "f0000000-0000-4000-8000-000000000000";
const inDefault = { namespace: "default" };

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "web" }] } };
const deployment: Deployment = {
  metadata: { name: "web", namespace: "default" },
  spec: { replicas: 3, selector: { matchLabels: labels }, template },
};

function ownedBy(owner: DeepReadonly<KubeObject>, more: Partial<OwnerReference> = {}): OwnerReference {
  const { name = "", uid = "" } = owner.metadata;
  return { apiVersion: owner.apiVersion ?? "", kind: owner.kind ?? "", name, uid, ...more };
}

async function configMap(cluster: ControllerCluster, name: string, ownerReferences: OwnerReference[] = [], namespace = "default") {
  return cluster.create(resources.configmaps, { metadata: { name, namespace, ownerReferences } });
}

async function withDeployment(): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start(collector, deploymentController, replicaSetController, serviceAccountController);
  await cluster.create(resources.deployments, deployment);
  await cluster.clock.advance(1000);
  assert.equal((await cluster.names(resources.pods)).length, 3);
  return cluster;
}

describe("garbage collector", () => {
  it("deletes replica sets and pods after their deployment", async () => {
    await using cluster = await withDeployment();
    await cluster.client.delete(resources.deployments, "web", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.replicasets), []);
    assert.deepEqual(await cluster.names(resources.pods), []);
  });

  it("keeps an owner deleted in the foreground until what blocks it is gone", async () => {
    await using cluster = await withDeployment();
    const [pod] = (await cluster.client.list(resources.pods)).items;
    const { name = "" } = pod?.metadata ?? {};
    const finalizers = (value: string[]) => ({ metadata: { finalizers: value } });
    await cluster.client.patch(resources.pods, name, finalizers(["example.com/hold"]), {
      ...inDefault,
      type: "application/merge-patch+json",
    });
    await cluster.client.delete(resources.deployments, "web", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.pods), [name]);
    assert.equal((await cluster.names(resources.replicasets)).length, 1);
    assert.deepEqual(await cluster.names(resources.deployments), ["web"]);
    await cluster.client.patch(resources.pods, name, finalizers([]), { ...inDefault, type: "application/merge-patch+json" });
    await cluster.clock.advance(1000);
    for (const resource of [resources.pods, resources.replicasets, resources.deployments])
      assert.deepEqual(await cluster.names(resource), []);
  });

  it("lets an owner deleted in the foreground go when its dependents have another owner, or have been released", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const [going, alive] = [await configMap(cluster, "going"), await configMap(cluster, "alive")];
    const blocking = { blockOwnerDeletion: true };
    await configMap(cluster, "shared", [ownedBy(going, blocking), ownedBy(alive, blocking)]);
    await configMap(cluster, "released", [ownedBy(going, blocking)]);
    await cluster.clock.advance(1000);
    const release = { metadata: { ownerReferences: null } };
    await cluster.client.patch(resources.configmaps, "released", release, { ...inDefault, type: "application/merge-patch+json" });
    await cluster.client.delete(resources.configmaps, "going", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "default"), ["alive", "released", "shared"]);
  });

  it("leaves dependents without the reference when they are to be orphaned", async () => {
    await using cluster = await withDeployment();
    const [set] = await cluster.names(resources.replicasets);
    await cluster.client.delete(resources.deployments, "web", { ...inDefault, options: { propagationPolicy: "Orphan" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.deployments), []);
    const orphan = await cluster.client.get(resources.replicasets, set ?? "", inDefault);
    assert.equal(orphan.metadata.ownerReferences, undefined);
    await cluster.client.delete(resources.replicasets, set ?? "", { ...inDefault, options: { propagationPolicy: "Orphan" } });
    await cluster.clock.advance(1000);
    const pods = (await cluster.client.list(resources.pods)).items;
    assert.deepEqual(
      pods.map(({ metadata }) => metadata.ownerReferences),
      [undefined, undefined, undefined],
    );
  });

  it("removes only the reference to an owner that is gone while another one lives", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const [gone, alive] = [await configMap(cluster, "gone"), await configMap(cluster, "alive")];
    await configMap(cluster, "child", [ownedBy(gone), ownedBy(alive)]);
    await cluster.client.delete(resources.configmaps, "gone", inDefault);
    await cluster.clock.advance(1000);
    const child = await cluster.client.get(resources.configmaps, "child", inDefault);
    assert.deepEqual(
      child.metadata.ownerReferences?.map(({ name }) => name),
      ["alive"],
    );
    await cluster.client.delete(resources.configmaps, "alive", inDefault);
    await cluster.clock.advance(1000);
    await assert.rejects(cluster.client.get(resources.configmaps, "child", inDefault), /not found/);
  });

  it("deletes what names an owner that never was, or was another object of that name", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const owner = await configMap(cluster, "owner");
    await configMap(cluster, "kept", [ownedBy(owner)]);
    await configMap(cluster, "wrong-uid", [ownedBy(owner, { uid: NO_UID })]);
    await configMap(cluster, "wrong-name", [ownedBy(owner, { name: "other" })]);
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "default"), ["kept", "owner"]);
  });

  it("takes an owner in another namespace as absent, and tells so", async () => {
    await using cluster = await ControllerCluster.start(collector);
    await cluster.createNamespace("other");
    const owner = await configMap(cluster, "owner");
    await configMap(cluster, "child", [ownedBy(owner)], "other");
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "other"), []);
    const text = `ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: ${owner.metadata.uid}] does not exist in namespace "other"`;
    assert.deepEqual(await cluster.events("OwnerRefInvalidNamespace"), [text]);
  });

  it("leaves a cluster-scoped object alone whose owner has a namespace, or is of an unknown kind", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const owner = await configMap(cluster, "owner");
    const create = (name: string, reference: OwnerReference) =>
      cluster.create(resources.priorityclasses, { metadata: { name, ownerReferences: [reference] }, value: 1 });
    await create("namespaced-owner", ownedBy(owner));
    await create("unknown-owner", ownedBy(owner, { apiVersion: "example.com/v1", kind: "Unknown", uid: NO_UID }));
    await cluster.clock.advance(60_000);
    const names = await cluster.names(resources.priorityclasses);
    assert.ok(names.includes("namespaced-owner") && names.includes("unknown-owner"));
    assert.equal((await cluster.events("OwnerRefInvalidNamespace")).length, 1);
  });

  it("ends a circle of owners that block each other", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const first = await configMap(cluster, "first");
    const second = await configMap(cluster, "second", [ownedBy(first, { blockOwnerDeletion: true })]);
    const ownerReferences = [ownedBy(second, { blockOwnerDeletion: true })];
    await cluster.client.patch(
      resources.configmaps,
      "first",
      { metadata: { ownerReferences } },
      { ...inDefault, type: "application/merge-patch+json" },
    );
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "default"), ["first", "second"]);
    await cluster.client.delete(resources.configmaps, "first", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "default"), []);
  });

  it("follows resources that are served later, and looks again at owners of their kinds", async () => {
    let served = deletable.filter(({ resource }) => resource !== "configmaps");
    await using cluster = await ControllerCluster.start((context) => garbageCollectorController(context, { resources: () => served }));
    const owner = await configMap(cluster, "owner");
    const create = (name: string, reference: OwnerReference) =>
      cluster.create(resources.secrets, { metadata: { name, ownerReferences: [reference] } });
    await create("kept", ownedBy(owner));
    await create("dangling", ownedBy(owner, { uid: NO_UID }));
    await cluster.clock.advance(60_000);
    assert.deepEqual(await cluster.names(resources.secrets), ["dangling", "kept"]);
    served = [...deletable];
    const names = { plural: "things", kind: "Thing" };
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }];
    const spec = { group: "example.com", scope: "Namespaced", names, versions };
    await cluster.create(resources.customresourcedefinitions, { metadata: { name: "things.example.com" }, spec });
    await cluster.clock.advance(2000);
    assert.deepEqual(await cluster.names(resources.secrets), ["kept"]);
    await cluster.client.delete(resources.configmaps, "owner", inDefault);
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.secrets), []);
  });

  it("deletes the dependents of an owner that came and went without its informer seeing it", async () => {
    const selectNone = { fieldSelector: "metadata.name=none" };
    const blind = ({ informers, ...context }: ControllerContext) => {
      const informer: typeof informers.informer = (resource, selection) =>
        informers.informer(resource, resource.resource === "configmaps" ? selectNone : selection);
      const start = (signal: AbortSignal) => informers.start(signal);
      const waitForSync = (signal: AbortSignal) => informers.waitForSync(signal);
      const release: typeof informers.release = (resource) => informers.release(resource);
      return collector({ ...context, informers: { informer, start, waitForSync, release } });
    };
    await using cluster = await ControllerCluster.start(blind);
    const owner = await configMap(cluster, "owner");
    await cluster.create(resources.secrets, { metadata: { name: "child", ownerReferences: [ownedBy(owner)] } });
    await cluster.clock.advance(30_000);
    assert.deepEqual(await cluster.names(resources.secrets), ["child"]);
    await cluster.client.delete(resources.configmaps, "owner", inDefault);
    await cluster.clock.advance(30_000);
    assert.deepEqual(await cluster.names(resources.secrets), []);
  });

  it("deletes two thousand children, and then writes nothing more", async () => {
    await using cluster = await ControllerCluster.start(collector);
    const owner = await configMap(cluster, "owner");
    const reference = ownedBy(owner, { blockOwnerDeletion: true });
    await Promise.all(Array.from({ length: 2000 }, (_, i) => configMap(cluster, `child-${i}`, [reference])));
    await cluster.client.delete(resources.configmaps, "owner", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await cluster.clock.advance(1000);
    assert.deepEqual(await cluster.names(resources.configmaps, "default"), []);
    const before = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), before);
  });
});
