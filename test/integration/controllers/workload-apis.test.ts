// What clients may do with workloads beside making them: status, collections, history, while the controllers run.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ResourceRef, resources } from "../../../src/api/index.ts";
import type { KubeObject } from "../../../src/machinery/index.ts";
import { createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const labels = { app: "web" };
const podTemplate = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const jobTemplate = { spec: { ...podTemplate.spec, restartPolicy: "Never" } };
const selector = { matchLabels: labels };

const kinds: readonly {
  readonly title: string;
  readonly resource: ResourceRef<KubeObject>;
  readonly spec: object;
  readonly hasConditions: boolean;
}[] = [
  { title: "Deployment", resource: resources.deployments, spec: { selector, template: podTemplate }, hasConditions: true },
  { title: "ReplicaSet", resource: resources.replicasets, spec: { selector, template: podTemplate }, hasConditions: true },
  {
    title: "ReplicationController",
    resource: resources.replicationcontrollers,
    spec: { selector: labels, template: podTemplate },
    hasConditions: true,
  },
  {
    title: "StatefulSet",
    resource: resources.statefulsets,
    spec: { selector, template: podTemplate, serviceName: "web" },
    hasConditions: true,
  },
  { title: "Daemon set", resource: resources.daemonsets, spec: { selector, template: podTemplate }, hasConditions: true },
  { title: "Job", resource: resources.jobs, spec: { template: jobTemplate }, hasConditions: true },
  {
    title: "CronJob",
    resource: resources.cronjobs,
    spec: { schedule: "@yearly", jobTemplate: { spec: { template: jobTemplate } } },
    hasConditions: false,
  },
  { title: "PodDisruptionBudget", resource: resources.poddisruptionbudgets, spec: { selector, minAvailable: 1 }, hasConditions: true },
];

interface WithStatus extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

for (const { title, resource, spec, hasConditions } of kinds) {
  describe(title, () => {
    it("should list and delete a collection", async () => {
      await using cluster = await createCluster();
      for (const name of ["one", "two", "three"]) {
        const metadata = { name, labels: { set: name === "three" ? "other" : "same" } };
        await cluster.client.create(resource, { metadata, spec } as KubeObject, inDefault);
      }
      const selection = { ...inDefault, labelSelector: "set=same" };
      assert.equal((await cluster.client.list(resource, selection)).items.length, 2);
      await cluster.client.deleteCollection(resource, { ...selection, options: { propagationPolicy: "Background" } });
      await cluster.clock.advance(30_000);
      assert.deepEqual(
        (await cluster.client.list(resource, inDefault)).items.map(({ metadata }) => metadata.name),
        ["three"],
      );
    });

    if (hasConditions) {
      it("should keep changes to its status that others make", async () => {
        await using cluster = await createCluster();
        await cluster.client.create(resource, { metadata: { name: "web" }, spec } as KubeObject, inDefault);
        await cluster.clock.advance(30_000);
        const condition = {
          type: "StatusUpdate",
          status: "True",
          reason: "E2E",
          message: "Set from e2e test",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        };
        const current = (await cluster.client.get(resource, "web", inDefault)) as WithStatus;
        const status = { ...current.status, conditions: [...(current.status?.conditions ?? []), condition] };
        await cluster.client.update(resource, { ...current, status } as KubeObject, { ...inDefault, subresource: "status" });
        await cluster.client.patch(resource, "web", { metadata: { annotations: { seen: "yes" } } }, merge);
        await cluster.clock.advance(30_000);
        const after = (await cluster.client.get(resource, "web", inDefault)) as WithStatus;
        assert.equal(after.status?.conditions?.find(({ type }) => type === "StatusUpdate")?.status, "True");
      });
    }
  });
}

describe("ControllerRevision", () => {
  it("should manage the lifecycle", async () => {
    await using cluster = await createCluster();
    const { client, clock } = cluster;
    await client.create(resources.daemonsets, { metadata: { name: "web" }, spec: { selector, template: podTemplate } }, inDefault);
    await clock.advance(10_000);
    const list = async () => (await client.list(resources.controllerrevisions, { ...inDefault, labelSelector: "app=web" })).items;
    const [initial] = await list();
    assert.equal(initial?.metadata.ownerReferences?.[0]?.name, "web");
    await client.patch(resources.controllerrevisions, initial?.metadata.name ?? "", { metadata: { labels: { patched: "yes" } } }, merge);
    const copy = { metadata: { name: "by-hand", labels }, data: initial?.data, revision: 2 };
    await client.create(resources.controllerrevisions, copy, inDefault);
    await clock.advance(10_000);
    assert.equal((await list()).length, 2);
    await client.delete(resources.controllerrevisions, "by-hand", inDefault);
    await client.deleteCollection(resources.controllerrevisions, { ...inDefault, labelSelector: "patched=yes" });
    await client.patch(resources.daemonsets, "web", { metadata: { annotations: { look: "again" } } }, merge);
    await clock.advance(10_000);
    assert.equal((await list()).length, 1, "what the set needs comes back");
  });
});
