import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../src/api/index.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

async function readyCondition(cluster: Cluster, name: string) {
  const node = await cluster.client.get(resources.nodes, name);
  return node.status?.conditions?.find((condition) => condition.type === "Ready");
}

describe("a node's status", () => {
  it("is put right by the node when someone else calls it unknown", async () => {
    await using cluster = await createCluster();
    const status = { conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message: "silent" }] };
    await cluster.client.patch(
      resources.nodes,
      "node-1",
      { status },
      { subresource: "status", type: "application/strategic-merge-patch+json" },
    );
    await cluster.clock.advance(1000);
    assert.deepEqual(
      [(await readyCondition(cluster, "node-1"))?.status, (await readyCondition(cluster, "node-1"))?.reason],
      ["True", "KubeletReady"],
    );
  });

  it("becomes unknown when the agent is gone, and ready again when it is back", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await cluster.stopNode("node-1");
    await cluster.clock.advance(60_000);
    assert.equal((await readyCondition(cluster, "node-1"))?.status, "Unknown");
    cluster.startNode(1);
    await cluster.clock.advance(2000);
    assert.equal((await readyCondition(cluster, "node-1"))?.status, "True");
  });
});
