import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { formatMicroTime } from "../../../src/base/index.ts";
import { nodeIpamController, nodeLifecycleController, podGcController, taintEvictionController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

/** Lets `seconds` pass while the kubelets of `names` renew their leases. */
async function runKubelets(cluster: ControllerCluster, names: readonly string[], seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 10) {
    for (const name of names) {
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(cluster.clock.now()) };
      const known = await cluster.client.get(resources.leases, name, { namespace: "kube-node-lease" }).catch(() => undefined);
      if (known !== undefined) await cluster.client.update(resources.leases, { ...known, spec });
      else await cluster.create(resources.leases, { metadata: { name, namespace: "kube-node-lease" }, spec });
    }
    await cluster.clock.advance(10_000);
  }
}

async function nodeState(cluster: ControllerCluster, name: string) {
  const { spec, status } = await cluster.client.get(resources.nodes, name);
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return { ready, taints: (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort() };
}

describe("node lifecycle controller", () => {
  it("marks a node that fell silent and its pods, and taints it", async () => {
    await using cluster = await ControllerCluster.start(nodeLifecycleController);
    for (const name of ["silent", "alive"]) await cluster.createNode(name);
    await cluster.createPod("a", { nodeName: "silent", ip: "10.1.0.1" });
    await runKubelets(cluster, ["alive"], 40);
    assert.equal((await nodeState(cluster, "silent")).ready?.status, "True");
    await runKubelets(cluster, ["alive"], 20);
    const { ready, taints } = await nodeState(cluster, "silent");
    assert.deepEqual(
      [ready?.status, ready?.reason, ready?.message],
      ["Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."],
    );
    assert.deepEqual(taints, ["node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"]);
    const pod = await cluster.client.get(resources.pods, "a", { namespace: "default" });
    assert.equal(pod.status?.conditions?.find(({ type }) => type === "Ready")?.status, "False");
    assert.deepEqual((await nodeState(cluster, "alive")).taints, []);
    assert.equal((await cluster.events("NodeNotReady")).includes("Node silent status is now: NodeNotReady"), true);
  });

  it("evicts nobody when every node is silent", async () => {
    await using cluster = await ControllerCluster.start(nodeLifecycleController);
    await cluster.createNode("only");
    await cluster.clock.advance(120_000);
    assert.deepEqual((await nodeState(cluster, "only")).taints, ["node.kubernetes.io/unreachable:NoSchedule"]);
  });

  it("taints a cordoned node and takes the taint back", async () => {
    await using cluster = await ControllerCluster.start(nodeLifecycleController);
    await cluster.createNode("n1");
    await cluster.clock.advance(100);
    const node = await cluster.client.get(resources.nodes, "n1");
    const cordoned = await cluster.client.update(resources.nodes, { ...node, spec: { unschedulable: true } });
    await cluster.clock.advance(100);
    assert.deepEqual((await nodeState(cluster, "n1")).taints, ["node.kubernetes.io/unschedulable:NoSchedule"]);
    const { metadata, ...rest } = cordoned;
    const { resourceVersion: _, ...unversioned } = metadata;
    await cluster.client.update(resources.nodes, { ...rest, metadata: unversioned, spec: {} });
    await cluster.clock.advance(100);
    assert.deepEqual((await nodeState(cluster, "n1")).taints, []);
  });

  it("writes nothing while all is well", async () => {
    await using cluster = await ControllerCluster.start(nodeLifecycleController);
    await cluster.createNode("n1");
    await cluster.clock.advance(1000);
    const before = await cluster.revision();
    await cluster.clock.advance(40_000);
    assert.equal(await cluster.revision(), before);
  });
});

describe("taint eviction controller", () => {
  it("deletes pods when their toleration of a NoExecute taint is over", async () => {
    await using cluster = await ControllerCluster.start(taintEvictionController);
    const node = await cluster.createNode("n1");
    const toleration = { key: "broken", operator: "Exists", effect: "NoExecute" };
    await cluster.createPod("none", { nodeName: "n1", finalizers: ["example.com/keep"] });
    await cluster.createPod("short", { nodeName: "n1", tolerations: [{ ...toleration, tolerationSeconds: 60 }] });
    await cluster.createPod("always", { nodeName: "n1", tolerations: [toleration] });
    await cluster.client.update(resources.nodes, { ...node, spec: { taints: [{ key: "broken", effect: "NoExecute" }] } });
    const leaving = async () => {
      const { items } = await cluster.client.list(resources.pods);
      return items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(({ metadata }) => metadata.name);
    };
    await cluster.clock.advance(1000);
    assert.deepEqual(await leaving(), ["none"]);
    const pod = await cluster.client.get(resources.pods, "none", { namespace: "default" });
    assert.equal(pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason, "DeletionByTaintManager");
    assert.deepEqual(await cluster.events("TaintManagerEviction"), ["Marking for deletion Pod default/none"]);
    await cluster.clock.advance(60_000);
    assert.deepEqual(await leaving(), ["none", "short"]);
  });
});

describe("pod garbage collector", () => {
  it("deletes pods of a node that is gone, after a quarantine", async () => {
    await using cluster = await ControllerCluster.start(podGcController);
    await cluster.createNode("n1");
    await cluster.createPod("stays", { nodeName: "n1" });
    await cluster.createPod("lost", { nodeName: "nowhere" });
    await cluster.clock.advance(30_000);
    assert.deepEqual(await cluster.names(resources.pods), ["lost", "stays"]);
    await cluster.clock.advance(60_000);
    assert.deepEqual(await cluster.names(resources.pods), ["stays"]);
  });

  it("deletes the oldest finished pods beyond the threshold", async () => {
    await using cluster = await ControllerCluster.start((context) => podGcController(context, { terminatedPodThreshold: 1 }));
    for (const name of ["c", "b", "a"]) {
      await cluster.createPod(name, { phase: "Succeeded" });
      await cluster.clock.advance(1000);
    }
    await cluster.clock.advance(20_000);
    assert.deepEqual(await cluster.names(resources.pods), ["a"]);
  });
});

describe("node IPAM controller", () => {
  it("gives every node a network of its own and reuses those that are free", async () => {
    await using cluster = await ControllerCluster.start((context) => nodeIpamController(context, { clusterCidr: "10.244.0.0/16" }));
    const cidrs = async () => (await cluster.client.list(resources.nodes)).items.map(({ spec }) => spec?.podCIDR);
    for (const name of ["a", "b"]) await cluster.create(resources.nodes, { metadata: { name } });
    await cluster.clock.advance(100);
    assert.deepEqual(await cidrs(), ["10.244.0.0/24", "10.244.1.0/24"]);
    await cluster.client.delete(resources.nodes, "a");
    await cluster.create(resources.nodes, { metadata: { name: "c" } });
    await cluster.clock.advance(100);
    assert.deepEqual(await cidrs(), ["10.244.1.0/24", "10.244.0.0/24"]);
  });

  it("lets a node wait when nothing is left, and gives it what becomes free", async () => {
    await using cluster = await ControllerCluster.start((context) => nodeIpamController(context, { clusterCidr: "10.244.0.0/23" }));
    const cidrOf = async (name: string) => (await cluster.client.get(resources.nodes, name)).spec?.podCIDR;
    for (const name of ["a", "b", "c"]) await cluster.create(resources.nodes, { metadata: { name } });
    await cluster.clock.advance(100);
    assert.equal(await cidrOf("c"), undefined);
    assert.deepEqual(await cluster.events("CIDRNotAvailable"), ["Node c status is now: CIDRNotAvailable"]);
    const revision = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), revision);
    await cluster.client.delete(resources.nodes, "a");
    await cluster.clock.advance(100);
    assert.equal(await cidrOf("c"), "10.244.0.0/24");
  });
});
