// Volumes of the default storage class, what `kubectl top` says, and hollow nodes.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Node, PersistentVolumeClaim, Pod } from "../../src/api/types/core/v1.ts";
import { Cluster, eventually, eventuallyHolds } from "./cluster.fixture.ts";

const HOLLOW_NODES = 40;

interface List<T> {
  readonly items: readonly T[];
}

const claim: PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } } },
};

/** A pod that does `script` with the claim's volume at /data, as nobody. */
function podWith(name: string, script: string): Pod {
  const container = { name: "c", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sh", "-c", script] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      nodeSelector: { "kubernetes.io/hostname": "node-1" },
      securityContext: { runAsUser: 65534 },
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      containers: [{ ...container, volumeMounts: [{ name: "data", mountPath: "/data" }] }],
    },
  };
}

describe("a cluster with hollow nodes", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.up({ hollowNodes: HOLLOW_NODES });
  });
  after(() => cluster[Symbol.asyncDispose]());

  it("keeps what a pod wrote to its volume for the next pod, and removes it with the claim", async () => {
    const directory = join(cluster.dataDirectory, "nodes/node-1/local-path");
    const succeeded = (name: string) =>
      eventually(`pod ${name} succeeds`, async () => (await cluster.get<Pod>("pod", name)).status?.phase === "Succeeded");
    await cluster.apply(claim);
    await cluster.apply(podWith("writer", "echo kept > /data/file"));
    await succeeded("writer");
    const { spec, status } = await cluster.get<PersistentVolumeClaim>("pvc", "data");
    assert.deepEqual([status?.phase, spec?.storageClassName], ["Bound", "local-path"]);
    const volume = spec?.volumeName ?? "";
    assert.ok(existsSync(join(directory, volume, "file")));
    await cluster.kubectl("delete", "pod", "writer");
    await cluster.apply(podWith("reader", "grep kept /data/file"));
    await succeeded("reader");
    await cluster.kubectl("delete", "pod", "reader");
    await cluster.kubectl("delete", "pvc", "data");
    await eventually("the volume's directory is removed", async () => !readdirSync(directory).includes(volume));
    await eventually("so is the volume", async () => (await cluster.get<List<unknown>>("pv")).items.length === 0);
  });

  it("runs pods on hollow nodes, whose usage kubectl top tells", async () => {
    const hollow = await eventually("the hollow nodes are ready", async () => {
      const { items } = await cluster.get<List<Node>>("nodes", "-l", "k8ts.dev/hollow=true");
      const ready = items.filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"));
      return ready.length === HOLLOW_NODES && items;
    });
    assert.equal(hollow[0]?.status?.nodeInfo?.containerRuntimeVersion, "hollow://0.1.0");
    const metadata = { labels: { app: "hollow" }, annotations: { "sim.k8ts.dev/cpu-cores": "0.25" } };
    const template = { metadata, spec: { nodeSelector: { "k8ts.dev/hollow": "true" }, containers: [{ name: "c", image: "none" }] } };
    const spec = { replicas: 100, selector: { matchLabels: { app: "hollow" } }, template };
    await cluster.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "hollow" }, spec });
    await cluster.kubectl("rollout", "status", "deployment/hollow", "--timeout=60s");
    await eventuallyHolds("all pods are measured", async () => {
      const pods = (await cluster.kubectl("top", "pods", "-l", "app=hollow", "--no-headers")).trim().split("\n");
      assert.equal(pods.length, 100);
      for (const line of pods) assert.match(line, /^hollow-\S+\s+250m\s+16Mi/);
    });
    assert.match(await cluster.kubectl("top", "nodes", "node-1", "--no-headers"), /^node-1\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%/);
    assert.match(await cluster.kubectl("top", "pods", "--containers", "-l", "app=hollow"), /^POD\s+NAME\s+CPU\(cores\)\s+MEMORY\(bytes\)/);
    await cluster.kubectl("delete", "deployment", "hollow");
    await eventually("their pods are gone", async () => (await cluster.get<List<Pod>>("pods")).items.length === 0);
  });
});
