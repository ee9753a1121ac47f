// Pods that no kubelet cleans up, over a whole API server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { podGcController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };

async function start(terminatedPodThreshold = 12_500): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start((context) => podGcController(context, { terminatedPodThreshold }));
  await cluster.create(resources.serviceaccounts, { metadata: { name: "default" } });
  return cluster;
}

describe("pod garbage collector", () => {
  it("fails and deletes the pods of a node that has been gone for 40 seconds, and then rests", async () => {
    await using cluster = await start();
    await cluster.createNode("stays");
    await cluster.createNode("goes");
    await cluster.createPod("kept", { nodeName: "stays", phase: "Running" });
    await cluster.createPod("orphan", { nodeName: "goes", phase: "Running" });
    await cluster.createPod("held", { nodeName: "goes", phase: "Running", finalizers: ["example.com/hold"] });
    await cluster.client.delete(resources.nodes, "goes");
    await cluster.clock.advance(39_000);
    assert.deepEqual(await cluster.names(resources.pods), ["held", "kept", "orphan"]);
    await cluster.clock.advance(42_000);
    assert.deepEqual(await cluster.names(resources.pods), ["held", "kept"]);
    const { metadata, status } = await cluster.client.get(resources.pods, "held", inDefault);
    assert.equal(metadata.deletionGracePeriodSeconds, 0);
    assert.equal(status?.phase, "Failed");
    const condition = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ["True", "DeletionByPodGC", "PodGC: node no longer exists"],
    );
    const before = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), before);
  });

  it("spares the pods of a node that comes back in time", async () => {
    await using cluster = await start();
    await cluster.createNode("node");
    await cluster.createPod("pod", { nodeName: "node", phase: "Running" });
    await cluster.client.delete(resources.nodes, "node");
    await cluster.clock.advance(30_000);
    await cluster.createNode("node");
    await cluster.clock.advance(200_000);
    const pod = await cluster.client.get(resources.pods, "pod", inDefault);
    assert.equal(pod.status?.phase, "Running");
  });

  it("deletes pods on a node that is declared out of service once they are to go", async () => {
    await using cluster = await start();
    const node = await cluster.createNode("node");
    for (const name of ["leaving", "staying"]) await cluster.createPod(name, { nodeName: "node", phase: "Running" });
    await cluster.client.delete(resources.pods, "leaving", inDefault);
    await cluster.client.update(
      resources.nodes,
      { ...node, status: { conditions: [{ type: "Ready", status: "Unknown" }] } },
      { subresource: "status" },
    );
    await cluster.clock.advance(60_000);
    assert.deepEqual(await cluster.names(resources.pods), ["leaving", "staying"]);
    const taints = [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }];
    await cluster.client.patch(resources.nodes, "node", { spec: { taints } }, { type: "application/merge-patch+json" });
    await cluster.clock.advance(20_000);
    assert.deepEqual(await cluster.names(resources.pods), ["staying"]);
  });

  it("deletes the oldest ended pods above the threshold", async () => {
    await using cluster = await start(1);
    await cluster.createNode("node");
    for (const name of ["a", "b", "c"]) {
      await cluster.createPod(name, { nodeName: "node", phase: "Succeeded" });
      await cluster.clock.advance(1000);
    }
    await cluster.createPod("running", { nodeName: "node", phase: "Running" });
    await cluster.clock.advance(20_000);
    assert.deepEqual(await cluster.names(resources.pods), ["c", "running"]);
  });
});
