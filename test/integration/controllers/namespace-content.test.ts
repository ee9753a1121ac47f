// What every namespace has: its service account and the cluster's certificate authority.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { rootCaPublisher, serviceAccountController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

describe("service account controller", () => {
  it("makes the default account in every namespace, and again when it is deleted", async () => {
    await using cluster = await ControllerCluster.start(serviceAccountController);
    await cluster.createNamespace("later");
    await cluster.clock.advance(100);
    assert.deepEqual(await cluster.names(resources.serviceaccounts, "default"), ["default"]);
    assert.deepEqual(await cluster.names(resources.serviceaccounts, "later"), ["default"]);
    await cluster.client.delete(resources.serviceaccounts, "default", { namespace: "later" });
    await cluster.clock.advance(100);
    assert.deepEqual(await cluster.names(resources.serviceaccounts, "later"), ["default"]);
  });
});

describe("root CA publisher", () => {
  it("publishes the certificates and repairs a config map that was changed", async () => {
    await using cluster = await ControllerCluster.start((context) => rootCaPublisher(context, { caPem: "PEM" }));
    await cluster.clock.advance(100);
    const published = await cluster.client.get(resources.configmaps, "kube-root-ca.crt", { namespace: "default" });
    assert.deepEqual(published.data, { "ca.crt": "PEM" });
    await cluster.client.update(resources.configmaps, { ...published, data: { "ca.crt": "other" } });
    await cluster.clock.advance(100);
    const repaired = await cluster.client.get(resources.configmaps, "kube-root-ca.crt", { namespace: "default" });
    assert.deepEqual(repaired.data, { "ca.crt": "PEM" });
  });
});
