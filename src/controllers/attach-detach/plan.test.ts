import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node, PersistentVolume, Pod } from "../../api/types/core/v1.ts";
import type { VolumeAttachment } from "../../api/types/storage/v1.ts";
import { attachmentName, claimsOf, FORCE_DETACH_MS, type NodeSnapshot, planNode } from "./plan.ts";

const volume = (name: string, accessModes = ["ReadWriteOnce"]): PersistentVolume => ({
  metadata: { name },
  spec: { accessModes, csi: { driver: "disk.example.com", volumeHandle: `handle-${name}` } },
});
const volumes = new Map([volume("a"), volume("b", ["ReadWriteMany"])].map((each) => [each.metadata.name ?? "", each]));
const volumeOf = (name: string) => volumes.get(name);
const of = (name: string) => volumes.get(name) as PersistentVolume;

function attachment(name: string, attached = true): VolumeAttachment {
  const spec = { attacher: "disk.example.com", nodeName: "n", source: { persistentVolumeName: name } };
  return { metadata: { name: attachmentName(of(name), "n") }, spec, status: { attached } };
}

function nodeOf(options: { inUse?: string[]; ready?: string; taints?: NonNullable<Node["spec"]>["taints"] } = {}): Node {
  const { inUse = [], ready = "True", taints } = options;
  const conditions = [{ type: "Ready", status: ready, lastTransitionTime: "1970-01-01T00:00:00Z" }];
  return {
    metadata: { name: "n" },
    spec: { taints },
    status: { conditions, volumesInUse: inUse.map((name) => `kubernetes.io/csi/disk.example.com^handle-${name}`) },
  };
}

const plan = (snapshot: Partial<NodeSnapshot>) =>
  planNode({ nodeName: "n", node: nodeOf(), wanted: [], attachments: [], attachedElsewhere: () => false, nowMs: 0, ...snapshot }, volumeOf);

describe("volumes of CSI drivers", () => {
  it("are attached to the nodes of the pods that use them", () => {
    const { create } = plan({ wanted: [of("a")] });
    assert.deepEqual(
      create.map(({ spec }) => spec),
      [{ attacher: "disk.example.com", nodeName: "n", source: { persistentVolumeName: "a" } }],
    );
    assert.match(create[0]?.metadata.name ?? "", /^csi-[0-9a-f]{64}$/);
    assert.deepEqual(plan({ wanted: [of("a")], attachments: [attachment("a")] }).create, []);
    assert.deepEqual(plan({ wanted: [of("a")], node: undefined }).create, []);
  });

  it("are told to the node once they are attached", () => {
    const attachments = [attachment("a"), attachment("b", false)];
    assert.deepEqual(plan({ wanted: [of("a"), of("b")], attachments }).volumesAttached, [
      { name: "kubernetes.io/csi/disk.example.com^handle-a", devicePath: "" },
    ]);
  });

  it("wait for another node that has them for itself", () => {
    const elsewhere = plan({ wanted: [of("a"), of("b")], attachedElsewhere: () => true });
    assert.deepEqual(elsewhere.blocked, ["a"]);
    assert.deepEqual(
      elsewhere.create.map(({ spec }) => spec.source.persistentVolumeName),
      ["b"],
    );
  });

  it("are taken off when no pod wants them and the node has let go", () => {
    const attachments = [attachment("a")];
    assert.deepEqual(plan({ attachments }).delete, [attachmentName(of("a"), "n")]);
    assert.deepEqual(plan({ attachments, node: nodeOf({ inUse: ["a"] }) }).delete, []);
    assert.deepEqual(plan({ attachments, node: undefined }).delete.length, 1);
    const byHand = { ...attachment("a"), metadata: { name: "by-hand" } };
    assert.deepEqual(plan({ attachments: [byHand] }).delete, []);
  });

  it("are taken from a node that is silent for six minutes, or out of service", () => {
    const attachments = [attachment("a")];
    const silent = nodeOf({ inUse: ["a"], ready: "Unknown" });
    assert.deepEqual([plan({ attachments, node: silent }).delete, plan({ attachments, node: silent }).lookAgainMs], [[], FORCE_DETACH_MS]);
    assert.equal(plan({ attachments, node: silent, nowMs: FORCE_DETACH_MS }).delete.length, 1);
    const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
    assert.equal(plan({ attachments, node: nodeOf({ inUse: ["a"], taints }) }).delete.length, 1);
  });

  it("are those of pods that have a node and have not ended", () => {
    const pod = (nodeName: string, phase: string) =>
      ({
        metadata: { name: "p" },
        spec: { containers: [], nodeName, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] },
        status: { phase },
      }) as Pod;
    assert.deepEqual(claimsOf(pod("n", "Pending")), ["c"]);
    assert.deepEqual(claimsOf(pod("", "Pending")), []);
    assert.deepEqual(claimsOf(pod("n", "Succeeded")), []);
  });
});
