// ReplicaSets and ReplicationControllers over a whole API server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ResourceRef, resources } from "../../../src/api/index.ts";
import type { ReplicaSet } from "../../../src/api/types/apps/v1.ts";
import type { ReplicationController } from "../../../src/api/types/core/v1.ts";
import { replicaSetController, replicationController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };

const kinds = [
  {
    title: "ReplicationController",
    controller: replicationController,
    resource: resources.replicationcontrollers,
    create: (cluster: ControllerCluster, replicas: number, extra: object = {}) =>
      cluster.create(resources.replicationcontrollers, {
        metadata: { name: "web" },
        spec: { replicas, selector: labels, template, ...extra },
      } as ReplicationController),
  },
  {
    title: "ReplicaSet",
    controller: replicaSetController,
    resource: resources.replicasets,
    create: (cluster: ControllerCluster, replicas: number, extra: object = {}) =>
      cluster.create(resources.replicasets, {
        metadata: { name: "web" },
        spec: { replicas, selector: { matchLabels: labels }, template, ...extra },
      } as ReplicaSet),
  },
] as const;

for (const { title, controller, resource: kind, create } of kinds) {
  // Both have the fields that are looked at here.
  const resource = kind as ResourceRef<ReplicaSet>;
  const start = async () => {
    const cluster = await ControllerCluster.start(controller);
    await cluster.create(resources.serviceaccounts, { metadata: { name: "default" } });
    return cluster;
  };
  const status = async (cluster: ControllerCluster) => (await cluster.client.get(resource, "web", inDefault)).status;

  describe(title, () => {
    it("should tell its status a few times while many pods become ready, at once after a quiet time, and the right one", async () => {
      await using cluster = await start();
      await create(cluster, 200);
      await cluster.clock.advance(5000);
      const { items } = await cluster.client.list(resources.pods, inDefault);
      const ready = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
      const seen = new Set<string | undefined>();
      for (const { metadata } of items) {
        await cluster.client.patch(resources.pods, metadata.name ?? "", ready, { ...merge, subresource: "status" });
        await cluster.clock.advance(5);
        seen.add(JSON.stringify((await status(cluster))?.readyReplicas));
        if (metadata.name === items[0]?.metadata.name) assert.equal((await status(cluster))?.readyReplicas, 1);
      }
      assert.ok(seen.size < 20, `${seen.size} statuses for 200 pods in a second`);
      await cluster.clock.advance(100);
      assert.equal((await status(cluster))?.readyReplicas, 200);
    });

    it("should serve as many pods as it asks for, owned by it, and follow its size", async () => {
      await using cluster = await start();
      await create(cluster, 3);
      await cluster.clock.advance(1000);
      const { items } = await cluster.client.list(resources.pods, inDefault);
      assert.equal(items.length, 3);
      assert.ok(items.every(({ metadata }) => metadata.name?.startsWith("web-") && metadata.ownerReferences?.[0]?.kind === title));
      assert.equal((await cluster.events("SuccessfulCreate")).length, 3);
      await cluster.client.patch(resource, "web", { spec: { replicas: 1 } }, merge);
      await cluster.clock.advance(1000);
      assert.equal((await cluster.names(resources.pods)).length, 1);
      assert.deepEqual([(await status(cluster))?.replicas, (await status(cluster))?.fullyLabeledReplicas], [1, 1]);
      const before = await cluster.revision();
      await cluster.clock.advance(600_000);
      assert.equal(await cluster.revision(), before, "nothing is written at rest");
    });

    it("should adopt matching pods on creation", async () => {
      await using cluster = await start();
      await cluster.createPod("orphan", { labels });
      await create(cluster, 1);
      await cluster.clock.advance(1000);
      const pod = await cluster.client.get(resources.pods, "orphan", inDefault);
      assert.equal(pod.metadata.ownerReferences?.[0]?.kind, title);
      assert.deepEqual(await cluster.names(resources.pods), ["orphan"]);
    });

    it("should release no longer matching pods", async () => {
      await using cluster = await start();
      await create(cluster, 1);
      await cluster.clock.advance(1000);
      const [name = ""] = await cluster.names(resources.pods);
      await cluster.client.patch(resources.pods, name, { metadata: { labels: { app: "other" } } }, merge);
      await cluster.clock.advance(1000);
      const released = await cluster.client.get(resources.pods, name, inDefault);
      assert.equal(released.metadata.ownerReferences, undefined);
      assert.equal((await cluster.names(resources.pods)).length, 2);
    });

    it("should surface a failure condition while pods are refused, and take it back", async () => {
      await using cluster = await start();
      await cluster.client.delete(resources.serviceaccounts, "default", inDefault);
      await create(cluster, 2);
      await cluster.clock.advance(1000);
      const [condition] = (await status(cluster))?.conditions ?? [];
      assert.deepEqual([condition?.type, condition?.status, condition?.reason], ["ReplicaFailure", "True", "FailedCreate"]);
      assert.match(condition?.message ?? "", /forbidden/);
      assert.match(
        (await cluster.events("FailedCreate"))[0] ?? "",
        /^Error creating: pods "web-" is forbidden: error looking up service account default\/default/,
      );
      await cluster.create(resources.serviceaccounts, { metadata: { name: "default" } });
      await cluster.clock.advance(60_000);
      assert.equal((await cluster.names(resources.pods)).length, 2);
      assert.equal((await status(cluster))?.conditions, undefined);
    });

    it("counts a pod as available when it has been ready for minReadySeconds", async () => {
      await using cluster = await start();
      await create(cluster, 1, { minReadySeconds: 30 });
      await cluster.createPod("ready", { labels, phase: "Running", isReady: false });
      await cluster.clock.advance(1000);
      const [pod] = (await cluster.client.list(resources.pods, inDefault)).items;
      const ready = { type: "Ready", status: "True", lastTransitionTime: new Date(cluster.clock.now()).toISOString() };
      const wanted = { ...pod, metadata: pod?.metadata ?? {}, status: { phase: "Running", conditions: [ready] } };
      await cluster.client.update(resources.pods, wanted, { ...inDefault, subresource: "status" });
      await cluster.clock.advance(20_000);
      assert.deepEqual([(await status(cluster))?.readyReplicas, (await status(cluster))?.availableReplicas], [1, undefined]);
      await cluster.clock.advance(15_000);
      assert.equal((await status(cluster))?.availableReplicas, 1);
    });

    it("replaces pods that have ended", async () => {
      await using cluster = await start();
      await create(cluster, 1);
      await cluster.clock.advance(1000);
      const [pod] = (await cluster.client.list(resources.pods, inDefault)).items;
      const failed = { ...pod, metadata: pod?.metadata ?? {}, status: { ...pod?.status, phase: "Failed" } };
      await cluster.client.update(resources.pods, failed, { ...inDefault, subresource: "status" });
      await cluster.clock.advance(1000);
      assert.equal((await cluster.names(resources.pods)).length, 2);
      assert.equal((await status(cluster))?.replicas, 1);
    });
  });
}
