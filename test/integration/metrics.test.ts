import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeMetrics, podMetrics, resources } from "../../src/api/index.ts";
import type { Pod } from "../../src/api/types/core/v1.ts";
import { isNotFound, StatusError } from "../../src/machinery/index.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const inDefault = { namespace: "default" };

function pod(name: string, cpuCores: number): Pod {
  return {
    metadata: {
      name,
      namespace: "default",
      labels: { app: name },
      annotations: { "sim.k8ts.dev/cpu-cores": `${cpuCores}`, "sim.k8ts.dev/memory-bytes": `${64 * 2 ** 20}` },
    },
    spec: { containers: [{ name: "c", image: "web" }] },
  };
}

/** The answer to a request for which time has to pass. */
async function answered<T>(cluster: Cluster, request: Promise<T>): Promise<T> {
  await cluster.clock.advance(1_000);
  return request;
}

describe("metrics.k8s.io", () => {
  it("tells what pods use, by name, namespace and label", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    for (const [name, cores] of [["a", 0.25] as const, ["b", 2] as const]) await cluster.client.create(resources.pods, pod(name, cores));
    await cluster.clock.advance(10_000);
    const { items } = await answered(cluster, cluster.client.list(podMetrics, inDefault));
    assert.deepEqual(
      items.map(({ metadata, containers }) => [metadata.name, containers]),
      [
        ["a", [{ name: "c", usage: { cpu: "250m", memory: "64Mi" } }]],
        ["b", [{ name: "c", usage: { cpu: "2", memory: "64Mi" } }]],
      ],
    );
    const selected = await cluster.client.list(podMetrics, { ...inDefault, labelSelector: "app=b" });
    assert.deepEqual(
      selected.items.map(({ metadata }) => metadata.name),
      ["b"],
    );
    assert.equal((await cluster.client.get(podMetrics, "a", inDefault)).containers[0]?.usage["cpu"], "250m");
    assert.deepEqual((await cluster.client.list(podMetrics, { namespace: "kube-system" })).items, []);
  });

  it("tells what nodes use", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await cluster.client.create(resources.pods, pod("a", 1.5));
    await cluster.clock.advance(10_000);
    const metrics = await answered(cluster, cluster.client.get(nodeMetrics, "node-1"));
    assert.deepEqual(metrics.usage, { cpu: "1500m", memory: "64Mi" });
  });

  it("has nothing on pods that do not run and on nodes that are silent", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await cluster.stopNode("node-1");
    assert.deepEqual((await cluster.client.list(nodeMetrics)).items, []);
    await assert.rejects(cluster.client.get(podMetrics, "none", inDefault), (error) => {
      assert.ok(error instanceof StatusError && isNotFound(error));
      assert.equal(error.message, 'pods.metrics.k8s.io "none" not found');
      return true;
    });
  });
});
