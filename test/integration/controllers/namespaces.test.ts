import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { namespaceController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

async function startCluster() {
  const cluster = await ControllerCluster.start((context) =>
    namespaceController(context, { deletableResources: () => [resources.pods, resources.configmaps, resources.serviceaccounts] }),
  );
  await cluster.createNamespace("doomed");
  return cluster;
}

describe("namespace controller", () => {
  it("deletes what is in the namespace, then the namespace", async () => {
    await using cluster = await startCluster();
    await cluster.createPod("a", { namespace: "doomed" });
    await cluster.create(resources.configmaps, { metadata: { name: "c", namespace: "doomed" } });
    await cluster.client.delete(resources.namespaces, "doomed");
    await cluster.clock.advance(5000);
    assert.equal((await cluster.names(resources.namespaces)).includes("doomed"), false);
    assert.deepEqual(await cluster.names(resources.configmaps, "doomed"), []);
  });

  it("waits for a pod to end before it touches the rest, and says so", async () => {
    await using cluster = await startCluster();
    await cluster.createPod("a", { namespace: "doomed", nodeName: "n1" });
    await cluster.create(resources.configmaps, { metadata: { name: "c", namespace: "doomed" } });
    await cluster.client.delete(resources.namespaces, "doomed");
    await cluster.clock.advance(5000);
    assert.deepEqual(await cluster.names(resources.configmaps, "doomed"), ["c"]);
    const { status } = await cluster.client.get(resources.namespaces, "doomed");
    const condition = status?.conditions?.find(({ type }) => type === "NamespaceContentRemaining");
    assert.equal(condition?.message, "Some resources are remaining: pods. has 1 resource instances");
    await cluster.client.delete(resources.pods, "a", { namespace: "doomed", options: { gracePeriodSeconds: 0 } });
    await cluster.clock.advance(100);
    assert.equal((await cluster.names(resources.namespaces)).includes("doomed"), false);
  });

  it("names the finalizers that keep content", async () => {
    await using cluster = await startCluster();
    await cluster.create(resources.configmaps, { metadata: { name: "c", namespace: "doomed", finalizers: ["example.com/keep"] } });
    await cluster.client.delete(resources.namespaces, "doomed");
    await cluster.clock.advance(5000);
    const { status } = await cluster.client.get(resources.namespaces, "doomed");
    const condition = status?.conditions?.find(({ type }) => type === "NamespaceFinalizersRemaining");
    assert.equal(condition?.message, "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances");
  });
});
