import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { PersistentVolumeClaim, Pod } from "../../../src/api/types/core/v1.ts";
import {
  attachDetachController,
  attributesClassProtectionController,
  claimProtectionController,
  ephemeralVolumeController,
  LOCAL_PATH_PROVISIONER,
  LOCAL_PATH_ROOT,
  localPathController,
  persistentVolumeBinderController,
  volumeProtectionController,
} from "../../../src/controllers/index.ts";
import { isNotFound } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };
const all = [persistentVolumeBinderController, claimProtectionController, volumeProtectionController, localPathController];

async function createVolume(cluster: ControllerCluster, name: string, spec: object = {}) {
  const usual = { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" } };
  await cluster.create(resources.persistentvolumes, { metadata: { name }, spec: { ...usual, ...spec } });
}

function createClaim(cluster: ControllerCluster, name: string, spec: object = {}) {
  const usual = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "" };
  return cluster.create(resources.persistentvolumeclaims, { metadata: { name, ...inDefault }, spec: { ...usual, ...spec } });
}

const claimOf = (cluster: ControllerCluster, name: string) => cluster.client.get(resources.persistentvolumeclaims, name, inDefault);
const volumeOf = (cluster: ControllerCluster, name: string) => cluster.client.get(resources.persistentvolumes, name);

async function isGone(lookUp: Promise<unknown>): Promise<boolean> {
  return lookUp.then(
    () => false,
    (error: unknown) => isNotFound(error),
  );
}

async function createPod(cluster: ControllerCluster, name: string, volumes: NonNullable<Pod["spec"]>["volumes"]): Promise<void> {
  await cluster.create(resources.serviceaccounts, { metadata: { name: "default", ...inDefault } }).catch(() => {});
  const spec = { containers: [{ name: "c", image: "i" }], nodeName: "n", volumes };
  await cluster.create(resources.pods, { metadata: { name, ...inDefault }, spec } as Pod);
}

describe("persistent volumes and claims", () => {
  it("are bound to each other, whichever comes first", async () => {
    await using cluster = await ControllerCluster.start(...all);
    await createVolume(cluster, "first");
    await cluster.clock.advance(10);
    assert.equal((await volumeOf(cluster, "first")).status?.phase, "Available");
    for (const name of ["a", "b"]) await createClaim(cluster, name);
    await cluster.clock.advance(10);
    await createVolume(cluster, "second");
    await cluster.clock.advance(1_000);
    const { items } = await cluster.client.list<PersistentVolumeClaim>(resources.persistentvolumeclaims, inDefault);
    assert.deepEqual(
      new Set(items.map(({ spec, status }) => `${spec?.volumeName} ${status?.phase} ${status?.capacity?.["storage"]}`)),
      new Set(["first Bound 1Gi", "second Bound 1Gi"]),
    );
    assert.equal((await volumeOf(cluster, "second")).status?.phase, "Bound");
    const before = await cluster.revision();
    await cluster.clock.advance(600_000);
    assert.equal(await cluster.revision(), before);
  });

  it("let a claim go only when no pod uses it; the volume is then released and stays", async () => {
    await using cluster = await ControllerCluster.start(...all);
    await createVolume(cluster, "v");
    await createClaim(cluster, "a");
    await createPod(cluster, "user", [{ name: "data", persistentVolumeClaim: { claimName: "a" } }]);
    await cluster.clock.advance(1_000);
    await cluster.client.delete(resources.persistentvolumeclaims, "a", inDefault);
    await cluster.clock.advance(10_000);
    assert.notEqual((await claimOf(cluster, "a")).metadata.deletionTimestamp, undefined);
    await cluster.client.delete(resources.pods, "user", { ...inDefault, options: { gracePeriodSeconds: 0 } });
    await cluster.clock.advance(1_000);
    assert.ok(await isGone(claimOf(cluster, "a")));
    assert.equal((await volumeOf(cluster, "v")).status?.phase, "Released");
    await createClaim(cluster, "a");
    await cluster.clock.advance(1_000);
    assert.equal((await claimOf(cluster, "a")).status?.phase, "Pending");
  });

  it("let a bound volume go only after its claim", async () => {
    await using cluster = await ControllerCluster.start(...all);
    await createVolume(cluster, "v");
    await createClaim(cluster, "a");
    await cluster.clock.advance(1_000);
    await cluster.client.delete(resources.persistentvolumes, "v");
    await cluster.clock.advance(1_000);
    assert.notEqual((await volumeOf(cluster, "v")).metadata.deletionTimestamp, undefined);
    await cluster.client.delete(resources.persistentvolumeclaims, "a", inDefault);
    await cluster.clock.advance(1_000);
    assert.ok(await isGone(volumeOf(cluster, "v")));
  });

  it("tell a claim whose volume is gone that it is lost", async () => {
    await using cluster = await ControllerCluster.start(persistentVolumeBinderController);
    await createVolume(cluster, "v");
    await createClaim(cluster, "a");
    await cluster.clock.advance(1_000);
    const type = "application/merge-patch+json";
    await cluster.client.patch(resources.persistentvolumes, "v", { metadata: { finalizers: null } }, { type });
    await cluster.client.delete(resources.persistentvolumes, "v");
    await cluster.clock.advance(1_000);
    assert.equal((await claimOf(cluster, "a")).status?.phase, "Lost");
    assert.deepEqual(await cluster.events("ClaimLost"), ["Bound claim has lost its PersistentVolume. Data on the volume is lost!"]);
  });
});

describe("the local-path class", () => {
  const storageClass = {
    metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: LOCAL_PATH_PROVISIONER,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };

  it("makes a volume on the node that the scheduler chose, and deletes it with its claim", async () => {
    await using cluster = await ControllerCluster.start(...all);
    await cluster.create(resources.storageclasses, storageClass);
    await cluster.create(resources.nodes, { metadata: { name: "n", annotations: { [LOCAL_PATH_ROOT]: "/node-n" } } });
    await createClaim(cluster, "a", { storageClassName: undefined });
    await cluster.clock.advance(1_000);
    const waiting = await claimOf(cluster, "a");
    assert.deepEqual([waiting.spec?.storageClassName, waiting.status?.phase], ["local-path", "Pending"]);
    const annotations = { "volume.kubernetes.io/selected-node": "n" };
    await cluster.client.patch(
      resources.persistentvolumeclaims,
      "a",
      { metadata: { annotations } },
      { ...inDefault, type: "application/merge-patch+json" },
    );
    await cluster.clock.advance(1_000);
    const bound = await claimOf(cluster, "a");
    assert.equal(bound.status?.phase, "Bound");
    const name = bound.spec?.volumeName ?? "";
    const volume = await volumeOf(cluster, name);
    assert.equal(name, `pvc-${bound.metadata.uid}`);
    assert.deepEqual(volume.spec?.hostPath, { path: `/node-n/${name}`, type: "DirectoryOrCreate" });
    assert.deepEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values, ["n"]);
    await cluster.client.delete(resources.persistentvolumeclaims, "a", inDefault);
    await cluster.clock.advance(1_000);
    assert.ok(await isGone(volumeOf(cluster, name)));
  });

  it("says why it cannot", async () => {
    await using cluster = await ControllerCluster.start(...all);
    await cluster.create(resources.storageclasses, { ...storageClass, volumeBindingMode: "Immediate" });
    await createClaim(cluster, "a", { storageClassName: "local-path" });
    await cluster.clock.advance(1_000);
    assert.deepEqual(await cluster.events("ProvisioningFailed"), [
      'failed to provision volume with StorageClass "local-path": configuration error, no node was specified',
    ]);
  });
});

describe("ephemeral volumes", () => {
  it("get a claim that is their pod's", async () => {
    await using cluster = await ControllerCluster.start(ephemeralVolumeController);
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const ephemeral = { volumeClaimTemplate: { metadata: { labels: { kind: "scratch" } }, spec } };
    await createPod(cluster, "p", [{ name: "scratch", ephemeral }]);
    await cluster.clock.advance(10);
    const { metadata } = await claimOf(cluster, "p-scratch");
    const { metadata: owner } = await cluster.client.get(resources.pods, "p", inDefault);
    assert.deepEqual(metadata.labels, { kind: "scratch" });
    assert.deepEqual(metadata.ownerReferences, [
      { apiVersion: "v1", kind: "Pod", name: "p", uid: owner.uid, controller: true, blockOwnerDeletion: true },
    ]);
  });
});

describe("volume attributes classes", () => {
  it("stay as long as something names them", async () => {
    await using cluster = await ControllerCluster.start(attributesClassProtectionController, volumeProtectionController);
    await cluster.create(resources.volumeattributesclasses, { metadata: { name: "gold" }, driverName: "d", parameters: { iops: "1" } });
    await createVolume(cluster, "v", { volumeAttributesClassName: "gold" });
    await cluster.clock.advance(10);
    await cluster.client.delete(resources.volumeattributesclasses, "gold");
    await cluster.clock.advance(10);
    const lookUp = () => cluster.client.get(resources.volumeattributesclasses, "gold");
    assert.equal(await isGone(lookUp()), false);
    await cluster.client.delete(resources.persistentvolumes, "v");
    await cluster.clock.advance(10);
    assert.equal(await isGone(lookUp()), true);
  });
});

describe("volumes of a CSI driver", () => {
  it("are attached for a pod, told to its node, and taken off after it", async () => {
    await using cluster = await ControllerCluster.start(persistentVolumeBinderController, attachDetachController);
    await cluster.createNode("n");
    await createVolume(cluster, "v", { hostPath: undefined, csi: { driver: "disk.example.com", volumeHandle: "h" } });
    await createClaim(cluster, "a");
    await createPod(cluster, "p", [{ name: "data", persistentVolumeClaim: { claimName: "a" } }]);
    await cluster.clock.advance(1_000);
    const [attachment] = (await cluster.client.list(resources.volumeattachments)).items;
    assert.equal(attachment?.spec.nodeName, "n");
    await cluster.client.update(resources.volumeattachments, { ...attachment, status: { attached: true } } as never, {
      subresource: "status",
    });
    await cluster.clock.advance(1_000);
    const { status } = await cluster.client.get(resources.nodes, "n");
    assert.deepEqual(status?.volumesAttached, [{ name: "kubernetes.io/csi/disk.example.com^h", devicePath: "" }]);
    await cluster.client.delete(resources.pods, "p", { ...inDefault, options: { gracePeriodSeconds: 0 } });
    await cluster.clock.advance(1_000);
    assert.deepEqual(await cluster.names(resources.volumeattachments), []);
    assert.deepEqual((await cluster.client.get(resources.nodes, "n")).status?.volumesAttached ?? [], []);
  });
});
