import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { builtInCatalog, resources } from "../../src/api/index.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const inDefault = { namespace: "default" };
/** Nodes renew leases, tell their status every five minutes, and events end after an hour. */
const restless = new Set(["coordination.k8s.io/leases", "/nodes", "/events", "events.k8s.io/events"]);

/** Every object's version. */
async function versions(cluster: Cluster): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const resource of builtInCatalog().all()) {
    const id = `${resource.group}/${resource.resource}`;
    if (!resource.verbs.includes("watch") || restless.has(id) || resource.storedAs !== undefined || id === "/componentstatuses") continue;
    const { items } = await cluster.client.list(resource);
    for (const { metadata } of items) found.set(`${id} ${metadata.namespace ?? ""}/${metadata.name}`, metadata.resourceVersion ?? "");
  }
  return found;
}

describe("a cluster at rest", () => {
  it("writes nothing but leases and the nodes' own status", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "web" }] } };
    await cluster.client.create(resources.deployments, {
      metadata: { name: "web", ...inDefault },
      spec: { replicas: 3, selector: { matchLabels: labels }, template },
    });
    await cluster.client.create(resources.services, {
      metadata: { name: "web", ...inDefault },
      spec: { selector: labels, ports: [{ port: 80 }] },
    });
    await cluster.client.create(resources.resourcequotas, { metadata: { name: "q", ...inDefault }, spec: { hard: { pods: "10" } } });
    await cluster.client.create(resources.persistentvolumes, {
      metadata: { name: "v" },
      spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/v" } },
    });
    for (const name of ["bound", "waiting"]) {
      await cluster.client.create(resources.persistentvolumeclaims, {
        metadata: { name, ...inDefault },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "" },
      });
    }
    await cluster.client.create(resources.pods, {
      metadata: { name: "pending", ...inDefault },
      spec: { containers: [{ name: "c", image: "web" }], nodeSelector: { no: "where" } },
    });
    await cluster.clock.advance(120_000);
    const before = await versions(cluster);
    await cluster.clock.advance(1_800_000);
    const after = await versions(cluster);
    const changed = [...after].filter(([id, version]) => before.get(id) !== version).map(([id]) => id);
    assert.deepEqual(changed, []);
    assert.equal(after.size, before.size);
  });
});
