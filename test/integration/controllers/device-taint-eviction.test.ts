import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { DeviceToleration } from "../../../src/api/types/resource/v1.ts";
import { deviceTaintEvictionController } from "../../../src/controllers/index.ts";
import { isNotFound } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };

/** A running pod whose claim has the device `n1/a`. */
async function createUser(cluster: ControllerCluster, name: string, tolerations: DeviceToleration[] = []): Promise<void> {
  const pod = await cluster.createPod(name, { nodeName: "n1", resourceClaims: [{ name: "gpu", resourceClaimName: name }] });
  const claim = await cluster.create(resources.resourceclaims, { metadata: { name, ...inDefault }, spec: {} });
  const result = { request: "gpu", driver: "gpu.example.com", pool: "n1", device: "a", tolerations };
  const reservedFor = [{ resource: "pods", name, uid: pod.metadata.uid ?? "" }];
  const status = { allocation: { devices: { results: [result] } }, reservedFor };
  await cluster.client.update(resources.resourceclaims, { ...claim, status }, { ...inDefault, subresource: "status" });
}

async function createRule(cluster: ControllerCluster, effect: string): Promise<void> {
  const spec = { deviceSelector: { driver: "gpu.example.com", pool: "n1" }, taint: { key: "sick", effect } };
  await cluster.create(resources.devicetaintrules, { metadata: { name: "rule" }, spec });
}

async function condition(cluster: ControllerCluster) {
  const { status } = await cluster.client.get(resources.devicetaintrules, "rule");
  const [only] = status?.conditions ?? [];
  return `${only?.type}=${only?.status} ${only?.reason}: ${only?.message}`;
}

const isGone = (cluster: ControllerCluster, name: string) =>
  cluster.client.get(resources.pods, name, inDefault).then(({ metadata }) => metadata.deletionTimestamp !== undefined, isNotFound);

describe("device taint eviction controller", () => {
  it("evicts the pods that use tainted devices, each when its claim tolerates the taint no longer", async () => {
    await using cluster = await ControllerCluster.start(deviceTaintEvictionController);
    await createUser(cluster, "at-once");
    await createUser(cluster, "later", [{ key: "sick", operator: "Exists", tolerationSeconds: 60 }]);
    await createUser(cluster, "never", [{ key: "sick", operator: "Exists" }]);
    await createRule(cluster, "NoExecute");
    await cluster.clock.advance(2000);
    assert.deepEqual(await Promise.all(["at-once", "later", "never"].map((name) => isGone(cluster, name))), [true, false, false]);
    const { status } = await cluster.client.get(resources.pods, "at-once", inDefault);
    const disruption = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [disruption?.status, disruption?.reason, disruption?.message],
      ["True", "DeletionByDeviceTaintManager", "Device Taint manager: deleting due to NoExecute taint"],
    );
    assert.deepEqual(await cluster.events("DeviceTaintManagerEviction"), ["Marking for deletion"]);
    await cluster.clock.advance(15_000);
    const pending = "EvictionInProgress=True PodsPendingEviction: 1 pod needs to be evicted in 1 namespace.";
    assert.equal(await condition(cluster), `${pending} 1 pod evicted since starting the controller.`);
    await cluster.clock.advance(60_000);
    assert.equal(await isGone(cluster, "later"), true);
    assert.equal(await condition(cluster), "EvictionInProgress=False Completed: 2 pods evicted since starting the controller.");
    const before = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), before);
  });

  it("spares a pod whose taint goes in time", async () => {
    await using cluster = await ControllerCluster.start(deviceTaintEvictionController);
    await createUser(cluster, "later", [{ key: "sick", operator: "Exists", tolerationSeconds: 60 }]);
    await createRule(cluster, "NoExecute");
    await cluster.clock.advance(30_000);
    await cluster.client.delete(resources.devicetaintrules, "rule");
    await cluster.clock.advance(60_000);
    assert.equal(await isGone(cluster, "later"), false);
    assert.deepEqual(await cluster.events("DeviceTaintManagerEviction"), ["Cancelling deletion"]);
  });

  it("follows the taints that drivers publish, and counts them from when they were added", async () => {
    await using cluster = await ControllerCluster.start(deviceTaintEvictionController);
    await createUser(cluster, "user", [{ key: "sick", operator: "Exists", tolerationSeconds: 60 }]);
    const pool = { name: "n1", generation: 1, resourceSliceCount: 1 };
    const slice = { driver: "gpu.example.com", nodeName: "n1", pool, devices: [{ name: "a" }] };
    const made = await cluster.create(resources.resourceslices, { metadata: { name: "s" }, spec: slice });
    const devices = [{ name: "a", taints: [{ key: "sick", effect: "NoExecute" }] }];
    await cluster.client.update(resources.resourceslices, { ...made, spec: { ...slice, devices } });
    await cluster.clock.advance(50_000);
    assert.equal(await isGone(cluster, "user"), false);
    await cluster.clock.advance(15_000);
    assert.equal(await isGone(cluster, "user"), true);
  });

  it("tells what a rule without effect would do, and evicts when it gets one", async () => {
    await using cluster = await ControllerCluster.start(deviceTaintEvictionController);
    await createUser(cluster, "user");
    await createRule(cluster, "None");
    await cluster.clock.advance(20_000);
    assert.match(await condition(cluster), /^EvictionInProgress=False NoEffect: .* 1 pod would be evicted in 1 namespace/);
    const rule = await cluster.client.get(resources.devicetaintrules, "rule");
    const taint = { ...rule.spec.taint, effect: "NoExecute" };
    const updated = await cluster.client.update(resources.devicetaintrules, { ...rule, spec: { ...rule.spec, taint } });
    assert.notEqual(updated.spec.taint.timeAdded, rule.spec.taint.timeAdded);
    await cluster.clock.advance(1000);
    assert.equal(await isGone(cluster, "user"), true);
  });
});
