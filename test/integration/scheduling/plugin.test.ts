// The plug-in of docs/scheduler-plugin.md at work, and profiles beside the default one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { type Plugin, rejection, schedulerConfiguration, wakesOn } from "../../../src/scheduler/index.ts";
import { createCluster } from "../../../src/testing/index.ts";
import { createPod, findPod, inDefault, nodeOfPod, patchNode, whyPending } from "./scheduling.fixture.ts";

const head = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };
const WRONG_RACK = rejection("node(s) were in another rack", { isUnresolvable: true });

const rackPlugin: Plugin = {
  name: "Rack",
  weight: 5,
  wakesOn: wakesOn("NodeAdd", "NodeUpdateLabel"),
  reads: ({ pod }) => pod.metadata.annotations?.["example.com/rack"],
  filter: ({ pod }, { node }) => {
    const rack = pod.metadata.annotations?.["example.com/rack"];
    return rack === undefined || node.metadata.labels?.["rack"] === rack ? undefined : WRONG_RACK;
  },
  scoring: { normalization: "reverseMax", score: (_, node) => node.pods.size },
};

function withPlugin(plugin: Plugin) {
  const profiles = [{ plugins: { multiPoint: { enabled: [{ name: plugin.name }] } } }];
  return { plugins: { [plugin.name]: () => plugin }, configuration: schedulerConfiguration({ ...head, profiles }) };
}

describe("a plug-in of one's own", () => {
  it("filters nodes, explains itself and wakes pods", async () => {
    await using cluster = await createCluster({ nodes: 3, scheduler: withPlugin(rackPlugin) });
    const metadata = { name: "pod", ...inDefault, annotations: { "example.com/rack": "r1" } };
    await cluster.client.create(resources.pods, { metadata, spec: { containers: [{ name: "main", image: "image" }] } }, inDefault);
    await cluster.clock.advance(5000);
    assert.match((await whyPending(cluster, "pod")) ?? "", /^Unschedulable: 0\/3 nodes are available: 3 node\(s\) were in another rack\./);
    await patchNode(cluster, "node-2", { metadata: { labels: { rack: "r1" } } });
    await cluster.clock.advance(1000);
    assert.equal(await nodeOfPod(cluster, "pod"), "node-2");
  });

  it("keeps a pod at Permit until it lets it go, or rejects it", async () => {
    const answer = Promise.withResolvers<ReturnType<typeof rejection> | undefined>();
    const told: string[] = [];
    const gate: Plugin = {
      name: "Gate",
      permit: ({ pod }) => (pod.metadata.name === "waits" ? answer.promise : undefined),
      postBind: ({ key }, nodeName) => told.push(`${key} ${nodeName}`),
      unreserve: ({ key }) => told.push(`${key} given up`),
    };
    await using cluster = await createCluster({ nodes: 1, scheduler: withPlugin(gate) });
    await createPod(cluster, "waits", { cpu: "3" });
    await cluster.clock.advance(1000);
    // The node's room is kept for it.
    await createPod(cluster, "next", { cpu: "3" });
    await cluster.clock.advance(1000);
    assert.deepEqual([await nodeOfPod(cluster, "waits"), await nodeOfPod(cluster, "next")], [undefined, undefined]);
    answer.resolve(rejection("the gate stays closed"));
    await cluster.clock.advance(20_000);
    assert.deepEqual([await nodeOfPod(cluster, "waits"), await nodeOfPod(cluster, "next")], [undefined, "node-1"]);
    assert.deepEqual(told, ["default/waits given up", "default/next node-1"]);
  });
});

describe("profiles", () => {
  it("place the pods of their scheduler's name by their own rules", async () => {
    const disabled = [{ name: "NodeResourcesFit" }];
    const profiles = [{ schedulerName: "default-scheduler" }, { schedulerName: "careless", plugins: { filter: { disabled } } }];
    const configuration = schedulerConfiguration({ ...head, profiles });
    await using cluster = await createCluster({ nodes: 1, scheduler: { configuration } });
    await createPod(cluster, "careful", { cpu: "64" });
    await createPod(cluster, "careless", { cpu: "64", spec: { schedulerName: "careless" } });
    await createPod(cluster, "nobodys", { spec: { schedulerName: "nobody" } });
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "careful"), undefined);
    assert.equal(await nodeOfPod(cluster, "careless"), "node-1");
    assert.equal((await findPod(cluster, "nobodys"))?.status?.conditions, undefined);
  });
});

describe("scheduling gates", () => {
  it("keep a pod out of scheduling until the last one is gone", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await createPod(cluster, "gated", { spec: { schedulingGates: [{ name: "example.com/a" }] } });
    await cluster.clock.advance(5000);
    assert.match((await whyPending(cluster, "gated")) ?? "", /^SchedulingGated: /);
    await cluster.client.patch(
      resources.pods,
      "gated",
      { spec: { schedulingGates: null } },
      { ...inDefault, type: "application/merge-patch+json" },
    );
    await cluster.clock.advance(1000);
    assert.equal(await nodeOfPod(cluster, "gated"), "node-1");
  });
});
