import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { Device } from "../../../src/api/types/resource/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";
import { createPod, findPod, inDefault, nodeOfPod, whyPending } from "./scheduling.fixture.ts";

const DRIVER = "gpu.example.com";

async function createDevices(cluster: Cluster, nodeName: string, devices: Device[]): Promise<void> {
  await cluster.client.create(resources.resourceslices, {
    metadata: { name: nodeName },
    spec: { driver: DRIVER, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices },
  });
}

async function createClass(cluster: Cluster): Promise<void> {
  const selectors = [{ cel: { expression: `device.driver == "${DRIVER}"` } }];
  await cluster.client.create(resources.deviceclasses, { metadata: { name: "gpu" }, spec: { selectors } });
}

async function createClaim(cluster: Cluster, name: string): Promise<void> {
  const requests = [{ name: "gpu", exactly: { deviceClassName: "gpu" } }];
  await cluster.client.create(resources.resourceclaims, { metadata: { name, ...inDefault }, spec: { devices: { requests } } }, inDefault);
}

const withClaim = (resourceClaimName: string) => ({ spec: { resourceClaims: [{ name: "gpu", resourceClaimName }] } });

describe("a pod with a resource claim", () => {
  it("goes where a device is free, which the claim then has", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await createClass(cluster);
    await createDevices(cluster, "node-2", [{ name: "gpu-0" }]);
    await createClaim(cluster, "mine");
    await createClaim(cluster, "other");
    await createPod(cluster, "first", withClaim("mine"));
    await cluster.clock.advance(2000);
    assert.equal(await nodeOfPod(cluster, "first"), "node-2");
    const { metadata, status } = await cluster.client.get(resources.resourceclaims, "mine", inDefault);
    assert.deepEqual(status?.allocation?.devices?.results, [{ request: "gpu", driver: DRIVER, pool: "node-2", device: "gpu-0" }]);
    const uid = (await findPod(cluster, "first"))?.metadata.uid;
    assert.deepEqual(status?.reservedFor, [{ resource: "pods", name: "first", uid }]);
    assert.deepEqual(metadata.finalizers, ["resource.kubernetes.io/delete-protection"]);
    // There is no second device.
    await createPod(cluster, "second", withClaim("other"));
    await cluster.clock.advance(2000);
    assert.match((await whyPending(cluster, "second")) ?? "", /2 cannot allocate all claims\. still not schedulable, preemption: /);
    await createDevices(cluster, "node-1", [{ name: "gpu-0" }]);
    await cluster.clock.advance(15_000);
    assert.equal(await nodeOfPod(cluster, "second"), "node-1");
  });

  it("shares the claim with others that name it", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await createClass(cluster);
    await createDevices(cluster, "node-3", [{ name: "gpu-0" }]);
    await createClaim(cluster, "shared");
    for (const name of ["a", "b"]) await createPod(cluster, name, withClaim("shared"));
    await cluster.clock.advance(15_000);
    assert.deepEqual([await nodeOfPod(cluster, "a"), await nodeOfPod(cluster, "b")], ["node-3", "node-3"]);
    const { status } = await cluster.client.get(resources.resourceclaims, "shared", inDefault);
    assert.deepEqual(status?.reservedFor?.map(({ name }) => name).sort(), ["a", "b"]);
  });

  it("shares a device as long as its capacity suffices", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await createClass(cluster);
    const requestPolicy = { default: "2", validValues: ["2", "4"] };
    await createDevices(cluster, "node-1", [
      { name: "nic", allowMultipleAllocations: true, capacity: { rate: { value: "8", requestPolicy } } },
    ]);
    for (const name of ["a", "b", "c"]) {
      const requests = [{ name: "nic", exactly: { deviceClassName: "gpu", capacity: { requests: { rate: "3" } } } }];
      await cluster.client.create(
        resources.resourceclaims,
        { metadata: { name, ...inDefault }, spec: { devices: { requests } } },
        inDefault,
      );
      await createPod(cluster, name, withClaim(name));
      await cluster.clock.advance(2000);
    }
    const nodes = await Promise.all(["a", "b", "c"].map((name) => nodeOfPod(cluster, name)));
    assert.deepEqual(nodes, ["node-1", "node-1", undefined]);
    const { items } = await cluster.client.list(resources.resourceclaims);
    const results = items.flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
    assert.deepEqual(
      results.map(({ consumedCapacity }) => consumedCapacity),
      [{ rate: "4" }, { rate: "4" }],
    );
    assert.equal(new Set(results.map(({ shareID }) => shareID)).size, 2);
  });

  it("is bound when the driver has prepared the device, and looks for another when it could not", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await createClass(cluster);
    const conditions = { bindingConditions: ["Ready"], bindingFailureConditions: ["Broken"], bindsToNode: true };
    await createDevices(cluster, "node-1", [{ name: "fabric", ...conditions }]);
    await createClaim(cluster, "mine");
    await createPod(cluster, "waits", withClaim("mine"));
    await cluster.clock.advance(2000);
    assert.equal(await nodeOfPod(cluster, "waits"), undefined);
    const say = async (type: string) => {
      const claim = await cluster.client.get(resources.resourceclaims, "mine", inDefault);
      const [result] = claim.status?.allocation?.devices?.results ?? [];
      assert.ok(result !== undefined);
      const condition = { type, status: "True", reason: "Driver", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
      const devices = [{ driver: result.driver, pool: result.pool, device: result.device, conditions: [condition] }];
      const status = { ...claim.status, devices };
      await cluster.client.update(resources.resourceclaims, { ...claim, status }, { ...inDefault, subresource: "status" });
    };
    await say("Broken");
    await createDevices(cluster, "node-2", [{ name: "fabric", ...conditions }]);
    const cordoned = await cluster.client.get(resources.nodes, "node-1");
    await cluster.client.update(resources.nodes, { ...cordoned, spec: { ...cordoned.spec, unschedulable: true } });
    await cluster.clock.advance(30_000);
    await say("Ready");
    await cluster.clock.advance(2000);
    assert.equal(await nodeOfPod(cluster, "waits"), "node-2");
  });
});
