import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { defaultControllers } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const deletableResources = () => [
  resources.pods,
  resources.configmaps,
  resources.serviceaccounts,
  resources.deployments,
  resources.replicasets,
  resources.endpointslices,
  resources.namespaces,
];

describe("the default controllers together", () => {
  it("run a deployment, rest, and leave nothing of a deleted namespace", async () => {
    const makers = defaultControllers({ caPem: "PEM", clusterCidr: "10.244.0.0/16", deletableResources });
    await using cluster = await ControllerCluster.start(...makers.map(({ make }) => make));
    await cluster.createNamespace("shop");
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    await cluster.clock.advance(100);
    await cluster.create(resources.deployments, { metadata: { name: "web", namespace: "shop" }, spec });
    await cluster.clock.advance(5000);
    assert.equal((await cluster.names(resources.pods, "shop")).length, 3);
    const before = await cluster.revision();
    await cluster.clock.advance(300_000);
    assert.equal(await cluster.revision(), before, "nothing is written at rest");
    await cluster.client.delete(resources.deployments, "web", { namespace: "shop", options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(5000);
    assert.deepEqual(await cluster.names(resources.pods, "shop"), []);
    await cluster.client.delete(resources.namespaces, "shop");
    await cluster.clock.advance(10_000);
    assert.equal((await cluster.names(resources.namespaces)).includes("shop"), false);
  });
});
