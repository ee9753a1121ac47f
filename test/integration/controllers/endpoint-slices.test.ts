import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { Service } from "../../../src/api/types/core/v1.ts";
import { endpointController, endpointSliceController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const web: Omit<Service, "apiVersion" | "kind"> = {
  metadata: { name: "web" },
  spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "web" }] },
};

async function endpoints(cluster: ControllerCluster) {
  const { items } = await cluster.client.list(resources.endpointslices, { labelSelector: "kubernetes.io/service-name=web" });
  return items.flatMap(({ endpoints = [] }) => endpoints);
}

function addressesOf(endpoints: readonly { readonly addresses: readonly string[] }[]): readonly string[] {
  return endpoints.flatMap(({ addresses }) => addresses).sort();
}

describe("endpoint slice controller", () => {
  it("follows the pods of a service with their nodes and zones, and rests when they do", async () => {
    await using cluster = await ControllerCluster.start(endpointSliceController);
    await cluster.create(resources.services, web);
    await cluster.createPod("a", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.1" });
    await cluster.clock.advance(100);
    assert.deepEqual(await endpoints(cluster), [], "the pod waits for its node");
    await cluster.createNode("n1", { labels: { "topology.kubernetes.io/zone": "z1" } });
    await cluster.clock.advance(100);
    const [endpoint] = await endpoints(cluster);
    assert.deepEqual([endpoint?.addresses, endpoint?.nodeName, endpoint?.zone], [["10.1.0.1"], "n1", "z1"]);
    const before = await cluster.revision();
    await cluster.clock.advance(60_000);
    assert.equal(await cluster.revision(), before);
  });

  it("remembers a pod that waits for its node while others change", async () => {
    await using cluster = await ControllerCluster.start(endpointSliceController);
    await cluster.create(resources.services, web);
    await cluster.createNode("n1");
    await cluster.createPod("a", { labels: { app: "web" }, nodeName: "n2", ip: "10.1.0.1" });
    await cluster.clock.advance(100);
    await cluster.createPod("b", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.2" });
    await cluster.clock.advance(100);
    assert.deepEqual(addressesOf(await endpoints(cluster)), ["10.1.0.2"]);
    await cluster.createNode("n2");
    await cluster.clock.advance(100);
    assert.deepEqual(addressesOf(await endpoints(cluster)), ["10.1.0.1", "10.1.0.2"]);
  });

  it("mends a slice that somebody else has changed", async () => {
    await using cluster = await ControllerCluster.start(endpointSliceController);
    await cluster.create(resources.services, web);
    await cluster.createNode("n1");
    await cluster.createPod("a", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.1" });
    await cluster.createPod("b", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.2" });
    await cluster.clock.advance(100);
    const [slice] = (await cluster.client.list(resources.endpointslices)).items.filter(({ endpoints = [] }) => endpoints.length === 2);
    assert.ok(slice !== undefined);
    await cluster.client.update(resources.endpointslices, { ...slice, endpoints: [] }, { namespace: "default" });
    await cluster.clock.advance(100);
    assert.deepEqual(addressesOf(await endpoints(cluster)), ["10.1.0.1", "10.1.0.2"]);
    await cluster.client.delete(resources.endpointslices, slice.metadata.name ?? "", { namespace: "default" });
    await cluster.clock.advance(100);
    assert.deepEqual(addressesOf(await endpoints(cluster)), ["10.1.0.1", "10.1.0.2"]);
  });

  it("makes no slice twice when many pods become ready at once", async () => {
    await using cluster = await ControllerCluster.start(endpointSliceController);
    await cluster.create(resources.services, web);
    const names = Array.from({ length: 230 }, (_, i) => i);
    await cluster.createNode("n1");
    await Promise.all(
      names.map((i) => cluster.createPod(`p${i}`, { labels: { app: "web" }, nodeName: "n1", ip: `10.1.${i >> 7}.${i & 127}` })),
    );
    await cluster.clock.advance(1000);
    assert.equal(new Set((await endpoints(cluster)).map(({ addresses }) => addresses[0])).size, 230);
    assert.equal((await endpoints(cluster)).length, 230);
  });
});

describe("endpoints controller", () => {
  it("follows pods that come under the selector and leave it, and a selector that changes", async () => {
    await using cluster = await ControllerCluster.start(endpointController);
    const created = await cluster.create(resources.services, web);
    const a = await cluster.createPod("a", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.1" });
    await cluster.createPod("b", { labels: { app: "other" }, nodeName: "n1", ip: "10.1.0.2" });
    const listed = async () => {
      await cluster.clock.advance(100);
      const { subsets = [] } = await cluster.client.get(resources.endpoints, "web", { namespace: "default" });
      return subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
    };
    assert.deepEqual(await listed(), ["10.1.0.1"]);
    const moved = await cluster.client.update(resources.pods, { ...a, metadata: { ...a.metadata, labels: { app: "other" } } });
    assert.deepEqual(await listed(), []);
    await cluster.client.update(resources.services, { ...created, spec: { ...created.spec, selector: { app: "other" } } });
    assert.deepEqual(await listed(), ["10.1.0.1", "10.1.0.2"]);
    await cluster.client.update(resources.pods, { ...moved, metadata: { ...moved.metadata, labels: {} } });
    assert.deepEqual(await listed(), ["10.1.0.2"]);
  });

  it("lists ready and other addresses, and deletes the object with its service", async () => {
    await using cluster = await ControllerCluster.start(endpointController);
    await cluster.create(resources.services, web);
    await cluster.createPod("a", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.1" });
    await cluster.createPod("b", { labels: { app: "web" }, nodeName: "n1", ip: "10.1.0.2", isReady: false });
    await cluster.clock.advance(100);
    const { subsets = [], metadata } = await cluster.client.get(resources.endpoints, "web", { namespace: "default" });
    assert.deepEqual(
      subsets[0]?.addresses?.map(({ ip }) => ip),
      ["10.1.0.1"],
    );
    assert.deepEqual(
      subsets[0]?.notReadyAddresses?.map(({ ip }) => ip),
      ["10.1.0.2"],
    );
    assert.deepEqual(subsets[0]?.ports, [{ port: 8080, protocol: "TCP" }]);
    assert.equal(metadata.labels?.["endpoints.kubernetes.io/managed-by"], "endpoint-controller");
    const before = await cluster.revision();
    await cluster.clock.advance(60_000);
    assert.equal(await cluster.revision(), before);
    await cluster.client.delete(resources.services, "web", { namespace: "default" });
    await cluster.clock.advance(100);
    assert.equal((await cluster.names(resources.endpoints, "default")).includes("web"), false);
  });
});
