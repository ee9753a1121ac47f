import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BIND_COMPLETED, SELECTED_NODE } from "../../../api/index.ts";
import type { KubeObject } from "../../../machinery/index.ts";
import { TestCluster, testNode, testPodInfo } from "../../scheduler.fixture.ts";

const nodes = [
  testNode("n1", { labels: { "topology.kubernetes.io/zone": "z1" } }),
  testNode("n2", { labels: { "topology.kubernetes.io/zone": "z2" } }),
];

interface ClaimShape {
  readonly volumeName?: string;
  readonly storageClassName?: string;
  readonly accessModes?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

function claim(
  name: string,
  { volumeName, storageClassName = "late", accessModes = ["ReadWriteOnce"], annotations = {} }: ClaimShape = {},
) {
  const bound = volumeName === undefined ? {} : { [BIND_COMPLETED]: "yes" };
  return {
    metadata: { name, namespace: "default", uid: name, annotations: { ...annotations, ...bound } },
    spec: { volumeName, storageClassName, accessModes, resources: { requests: { storage: "1Gi" } } },
  };
}

function volume(name: string, on: string | undefined, spec: object = {}, labels: Readonly<Record<string, string>> = {}) {
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In", values: [on] }];
  const nodeAffinity = on === undefined ? undefined : { required: { nodeSelectorTerms: [{ matchExpressions }] } };
  return {
    metadata: { name, labels },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "late", nodeAffinity, ...spec },
    status: { phase: "Available" },
  };
}

function storageClass(name: string, spec: object = {}) {
  return { metadata: { name }, provisioner: "kubernetes.io/no-provisioner", volumeBindingMode: "WaitForFirstConsumer", ...spec };
}

function pod(...claims: readonly string[]) {
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  return testPodInfo({ spec: { volumes } });
}

function cluster(objects: Readonly<Record<string, readonly object[]>>) {
  return new TestCluster({ nodes, objects: objects as Readonly<Record<string, readonly KubeObject[]>> });
}

const none = (reason: string) => `0/2 nodes are available: 2 ${reason}.`;

describe("VolumeBinding", () => {
  it("says what is wrong with the pod's claims before it looks at nodes", () => {
    const test = cluster({
      persistentvolumeclaims: [claim("now", { storageClassName: "immediate" })],
      storageclasses: [storageClass("immediate", { volumeBindingMode: "Immediate" })],
    });
    assert.equal(test.place(pod("missing")), '0/2 nodes are available: persistentvolumeclaim "missing" not found.');
    assert.equal(test.place(pod("now")), "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
    const ephemeral = testPodInfo({ name: "p", spec: { volumes: [{ name: "scratch", ephemeral: {} }] } });
    const message = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"';
    assert.equal(test.place(ephemeral), `0/2 nodes are available: ${message}.`);
  });

  it("places a pod where its bound volume can be reached", () => {
    const test = cluster({ persistentvolumeclaims: [claim("a", { volumeName: "v" })], persistentvolumes: [volume("v", "n2")] });
    assert.equal(test.place(pod("a")), "n2");
    const far = cluster({ persistentvolumeclaims: [claim("a", { volumeName: "v" })], persistentvolumes: [volume("v", "elsewhere")] });
    assert.equal(far.place(pod("a")), none("node(s) had volume node affinity conflict"));
  });

  it("places a pod where there is a free volume for each of its waiting claims", () => {
    const storageclasses = [storageClass("late")];
    const persistentvolumeclaims = [claim("a"), claim("b")];
    const persistentvolumes = [volume("v1", "n1"), volume("v2", "n2"), volume("v3", "n2")];
    assert.equal(cluster({ storageclasses, persistentvolumeclaims, persistentvolumes }).place(pod("a", "b")), "n2");
    const fewer = cluster({ storageclasses, persistentvolumeclaims, persistentvolumes: persistentvolumes.slice(0, 2) });
    assert.equal(fewer.place(pod("a", "b")), none("node(s) didn't find available persistent volumes to bind"));
  });

  it("leaves volumes to a provisioner, where its topology and capacity allow", () => {
    const persistentvolumeclaims = [claim("a", { storageClassName: "csi" })];
    const matchLabelExpressions = [{ key: "topology.kubernetes.io/zone", values: ["z2"] }];
    const inZone = [storageClass("csi", { provisioner: "driver", allowedTopologies: [{ matchLabelExpressions }] })];
    assert.equal(cluster({ persistentvolumeclaims, storageclasses: inZone }).place(pod("a")), "n2");
    const storageclasses = [storageClass("csi", { provisioner: "driver" })];
    const csidrivers = [{ metadata: { name: "driver" }, spec: { storageCapacity: true } }];
    const capacity = (zone: string, amount: string) => ({
      metadata: { name: zone },
      storageClassName: "csi",
      capacity: amount,
      nodeTopology: { matchLabels: { "topology.kubernetes.io/zone": zone } },
    });
    const csistoragecapacities = [capacity("z1", "2Gi"), capacity("z2", "1Mi")];
    assert.equal(cluster({ persistentvolumeclaims, storageclasses, csidrivers, csistoragecapacities }).place(pod("a")), "n1");
    assert.equal(
      cluster({ persistentvolumeclaims, storageclasses, csidrivers }).place(pod("a")),
      none("node(s) did not have enough free storage"),
    );
  });

  it("stays with a node that was selected before", () => {
    const persistentvolumeclaims = [claim("a", { storageClassName: "csi", annotations: { [SELECTED_NODE]: "n2" } })];
    const storageclasses = [storageClass("csi", { provisioner: "driver" })];
    assert.equal(cluster({ persistentvolumeclaims, storageclasses }).place(pod("a")), "n2");
  });
});

describe("VolumeRestrictions", () => {
  it("lets one pod use a ReadWriteOncePod claim at a time", () => {
    const persistentvolumeclaims = [claim("a", { volumeName: "v", accessModes: ["ReadWriteOncePod"] })];
    const test = cluster({ persistentvolumeclaims, persistentvolumes: [volume("v", undefined)] });
    const first = pod("a");
    assert.match(test.place(first), /^n\d$/);
    const message = none("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
    assert.equal(test.place(pod("a")), message);
    test.cluster.removePod(first.uid);
    assert.match(test.place(pod("a")), /^n\d$/);
  });

  it("keeps two pods that write one disk apart", () => {
    const disk = { spec: { volumes: [{ name: "d", awsElasticBlockStore: { volumeID: "vol-1" } }] } };
    const [first, second, third] = new TestCluster({ nodes }).placeAll(disk, disk, disk);
    assert.deepEqual([first, second].sort(), ["n1", "n2"]);
    assert.equal(third, none("node(s) had no available disk"));
  });
});

describe("VolumeZone", () => {
  it("keeps a pod in the zone of its volume", () => {
    const zoned = (zone: string) => ({
      persistentvolumeclaims: [claim("a", { volumeName: "v" })],
      persistentvolumes: [volume("v", undefined, {}, { "topology.kubernetes.io/zone": zone })],
    });
    assert.equal(cluster(zoned("z2")).place(pod("a")), "n2");
    assert.match(cluster(zoned("z1__z2")).place(pod("a")), /^n\d$/);
    assert.equal(cluster(zoned("z3")).place(pod("a")), none("node(s) had no available volume zone"));
  });
});

describe("NodeVolumeLimits", () => {
  it("attaches no more volumes of a driver than it can, each once", () => {
    const csi = (volumeHandle: string) => ({ csi: { driver: "driver", volumeHandle } });
    const csiNode = (name: string) => ({
      metadata: { name },
      spec: { drivers: [{ name: "driver", nodeID: name, allocatable: { count: 1 } }] },
    });
    const names = ["a", "b", "c"];
    const test = cluster({
      csinodes: [csiNode("n1"), csiNode("n2")],
      persistentvolumeclaims: names.map((name) => claim(name, { volumeName: `v${name}` })),
      persistentvolumes: names.map((name) => volume(`v${name}`, undefined, csi(name))),
    });
    assert.deepEqual([test.place(pod("a")), test.place(pod("b"))].sort(), ["n1", "n2"]);
    assert.equal(test.place(pod("c")), none("node(s) exceed max volume count"));
    assert.match(test.place(pod("a")), /^n\d$/);
  });
});
