import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources, SELECTED_NODE } from "../../../src/api/index.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";
import { createPod, inDefault, nodeOfPod, whyPending } from "./scheduling.fixture.ts";

async function createClass(cluster: Cluster, name: string, provisioner: string): Promise<void> {
  await cluster.client.create(resources.storageclasses, { metadata: { name }, provisioner, volumeBindingMode: "WaitForFirstConsumer" });
}

async function createClaim(cluster: Cluster, name: string, storageClassName: string): Promise<void> {
  const spec = { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  await cluster.client.create(resources.persistentvolumeclaims, { metadata: { name, ...inDefault }, spec }, inDefault);
}

async function createVolume(cluster: Cluster, name: string, { on, storageClassName }: { on: string; storageClassName: string }) {
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [on] }];
  await cluster.client.create(resources.persistentvolumes, {
    metadata: { name },
    spec: {
      storageClassName,
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      local: { path: "/disk" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  });
}

const withClaim = (claimName: string) => ({ spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] } });

describe("a pod whose claim waits for its first consumer", () => {
  it("goes where a volume is free, which is bound before the pod is", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await createClass(cluster, "local", "kubernetes.io/no-provisioner");
    await createVolume(cluster, "disk", { on: "node-2", storageClassName: "local" });
    await createClaim(cluster, "data", "local");
    await cluster.clock.advance(1000);
    await createPod(cluster, "pod", withClaim("data"));
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "pod"), "node-2");
    const claim = await cluster.client.get(resources.persistentvolumeclaims, "data", inDefault);
    assert.deepEqual([claim.status?.phase, claim.spec?.volumeName], ["Bound", "disk"]);
  });

  it("wakes up when a volume appears", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await createClass(cluster, "local", "kubernetes.io/no-provisioner");
    await createClaim(cluster, "data", "local");
    await createPod(cluster, "pod", withClaim("data"));
    await cluster.clock.advance(20_000);
    assert.match((await whyPending(cluster, "pod")) ?? "", /2 node\(s\) didn't find available persistent volumes to bind/);
    await createVolume(cluster, "disk", { on: "node-1", storageClassName: "local" });
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "pod"), "node-1");
  });

  it("tells the provisioner the node, and is bound when the volume is there", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await createClass(cluster, "remote", "example.com/remote");
    await createClaim(cluster, "data", "remote");
    await createPod(cluster, "pod", withClaim("data"));
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "pod"), undefined);
    const claim = await cluster.client.get(resources.persistentvolumeclaims, "data", inDefault);
    const node = claim.metadata.annotations?.[SELECTED_NODE] ?? "";
    assert.match(node, /^node-\d$/);
    const { name, namespace, uid } = claim.metadata;
    await cluster.client.create(resources.persistentvolumes, {
      metadata: { name: "made", annotations: { "pv.kubernetes.io/provisioned-by": "example.com/remote" } },
      spec: {
        storageClassName: "remote",
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
        csi: { driver: "example.com/remote", volumeHandle: "made" },
        claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", name, namespace, uid },
      },
    });
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "pod"), node);
  });
});
