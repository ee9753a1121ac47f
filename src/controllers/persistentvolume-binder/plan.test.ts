import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  boundClaim,
  boundClaimStatus,
  boundVolume,
  PROVISIONED_BY,
  SELECTED_NODE,
  unboundVolume,
} from "../../api/index.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core/v1.ts";
import type { StorageClass } from "../../api/types/storage/v1.ts";
import { planClaim } from "./plan-claim.ts";
import { planVolume } from "./plan-volume.ts";

function claim(options: Partial<PersistentVolumeClaim["spec"]> & { annotations?: Record<string, string>; gi?: number } = {}) {
  const { annotations, gi = 1, ...spec } = options;
  return {
    metadata: { name: "data", namespace: "default", uid: "c1", ...(annotations === undefined ? {} : { annotations }) },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: { storage: `${gi}Gi` } }, ...spec },
    status: { phase: "Pending" },
  } satisfies PersistentVolumeClaim as PersistentVolumeClaim;
}

function volume(name: string, gi: number, spec: PersistentVolume["spec"] = {}, metadata: object = {}): PersistentVolume {
  return {
    metadata: { name, ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: `${gi}Gi` }, persistentVolumeReclaimPolicy: "Retain", ...spec },
    status: { phase: "Available" },
  };
}

const ref = (uid?: string) => ({ name: "data", namespace: "default", ...(uid === undefined ? {} : { uid }) });
const storageClass = (name: string, options: Partial<StorageClass> = {}): StorageClass => ({
  metadata: { name },
  provisioner: "example.com/disk",
  volumeBindingMode: "Immediate",
  ...options,
});
const plan = (one: PersistentVolumeClaim, volumes: PersistentVolume[] = [], classes: StorageClass[] = [], waitingPod?: string) =>
  planClaim({ claim: one, volumes, classes, waitingPod });
const nameOf = (bound: { readonly bindTo?: { readonly metadata: { readonly name?: string | undefined } } }) => bound.bindTo?.metadata.name;

describe("a claim without a volume", () => {
  it("gets the smallest one that suits it", () => {
    const volumes = [
      volume("big", 10),
      volume("small", 2),
      volume("tiny", 0),
      volume("other-class", 1, { storageClassName: "fast" }),
      volume("other-mode", 1, { accessModes: ["ReadOnlyMany"] }),
      volume("block", 1, { volumeMode: "Block" }),
      volume("taken", 1, { claimRef: { name: "other", namespace: "default" } }),
      volume("going", 1, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    ];
    assert.equal(nameOf(plan(claim(), volumes)), "small");
  });

  it("gets one that its selector matches", () => {
    const selector = { matchLabels: { disk: "ssd" } };
    assert.equal(nameOf(plan(claim({ selector }), [volume("a", 1), volume("b", 5, {}, { labels: { disk: "ssd" } })])), "b");
  });

  it("prefers the volume that was set apart for it, and never takes one of another's", () => {
    assert.equal(nameOf(plan(claim(), [volume("small", 1), volume("mine", 9, { claimRef: ref() })])), "mine");
    assert.equal(nameOf(plan(claim(), [volume("old", 9, { claimRef: ref("an earlier claim") })])), undefined);
  });

  it("waits when there is none and no class", () => {
    const { phase, event } = plan(claim());
    assert.equal(phase, "Pending");
    assert.deepEqual(
      [event?.reason, event?.message],
      ["FailedBinding", "no persistent volumes available for this claim and no storage class is set"],
    );
  });

  it("asks its class's provisioner for one", () => {
    const asked = plan(claim({ storageClassName: "fast" }), [], [storageClass("fast")]);
    assert.equal(asked.provisioner, "example.com/disk");
    assert.equal(asked.event?.reason, "ExternalProvisioning");
    assert.equal(plan(claim({ storageClassName: "none" })).event?.message, 'storageclass.storage.k8s.io "none" not found');
  });

  it("that named no class gets the newest default class", () => {
    const isDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
    const made = (name: string, year: number) =>
      storageClass(name, { metadata: { name, annotations: isDefault, creationTimestamp: `${year}-01-01T00:00:00Z` } });
    const unnamed = claim({ storageClassName: undefined });
    assert.deepEqual(plan(unnamed, [], [made("old", 2020), made("new", 2024), storageClass("x")]), { storageClassName: "new" });
    assert.equal(plan(claim(), [], [made("new", 2024)]).storageClassName, undefined);
  });

  it("waits for its first pod when its class says so, even where a volume would suit", () => {
    const classes = [storageClass("late", { volumeBindingMode: "WaitForFirstConsumer" })];
    const late = claim({ storageClassName: "late" });
    const volumes = [volume("a", 1, { storageClassName: "late" })];
    assert.equal(plan(late, volumes, classes).event?.reason, "WaitForFirstConsumer");
    assert.equal(plan(late, volumes, classes, "web").event?.message, "waiting for pod web to be scheduled");
    const selected = claim({ storageClassName: "late", annotations: { [SELECTED_NODE]: "n" } });
    assert.equal(plan(selected, volumes, classes).provisioner, "example.com/disk");
    // The scheduler has set one apart.
    assert.equal(nameOf(plan(late, [volume("b", 1, { storageClassName: "late", claimRef: ref("c1") })], classes)), "b");
  });
});

describe("a claim that names its volume", () => {
  it("gets it when it suits", () => {
    assert.equal(nameOf(plan(claim({ volumeName: "v" }), [volume("v", 1)])), "v");
    assert.equal(plan(claim({ volumeName: "v" })).phase, "Pending");
    assert.equal(
      plan(claim({ volumeName: "v", gi: 5 }), [volume("v", 1)]).event?.message,
      'Cannot bind to requested volume "v": requested PV is too small',
    );
    const taken = volume("v", 1, { claimRef: { name: "other", namespace: "default" } });
    assert.equal(plan(claim({ volumeName: "v" }), [taken]).event?.message, 'volume "v" already bound to a different claim.');
  });
});

describe("a bound claim", () => {
  const bound = (volumeName: string) => claim({ volumeName, annotations: { [BIND_COMPLETED]: "yes" } });

  it("is lost with its volume", () => {
    assert.deepEqual([plan(bound("gone")).phase, plan(bound("gone")).event?.reason], ["Lost", "ClaimLost"]);
    assert.equal(plan(bound("v"), [volume("v", 1, { claimRef: ref("another") })]).event?.reason, "ClaimMisbound");
  });

  it("keeps its volume", () => {
    assert.equal(nameOf(plan(bound("v"), [volume("v", 1, { claimRef: ref("c1") })])), "v");
  });
});

describe("binding", () => {
  it("writes both sides and says which it chose itself", () => {
    const chosen = boundVolume(volume("v", 1), claim());
    assert.equal(chosen?.spec?.claimRef?.uid, "c1");
    assert.equal(chosen?.metadata.annotations?.[BOUND_BY_CONTROLLER], "yes");
    const setApart = boundVolume(volume("v", 1, { claimRef: ref() }), claim());
    assert.equal(setApart?.spec?.claimRef?.uid, "c1");
    assert.equal(setApart?.metadata.annotations?.[BOUND_BY_CONTROLLER], undefined);
    assert.deepEqual(boundClaim(claim(), volume("v", 1))?.metadata.annotations, { [BOUND_BY_CONTROLLER]: "yes", [BIND_COMPLETED]: "yes" });
    assert.deepEqual(boundClaim(claim({ volumeName: "v" }), volume("v", 1))?.metadata.annotations, { [BIND_COMPLETED]: "yes" });
    assert.deepEqual(boundClaimStatus(claim(), volume("v", 5))?.status, {
      phase: "Bound",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "5Gi" },
    });
  });

  it("writes nothing twice", () => {
    const done = volume("v", 1, { claimRef: ref("c1") });
    const settled = claim({ volumeName: "v", annotations: { [BIND_COMPLETED]: "yes" } });
    settled.status = { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } };
    assert.deepEqual(
      [boundVolume(done, settled), boundClaim(settled, done), boundClaimStatus(settled, done)],
      [undefined, undefined, undefined],
    );
  });

  it("is taken back as far as the controller made it", () => {
    const chosen = volume("v", 1, { claimRef: ref("c1") }, { annotations: { [BOUND_BY_CONTROLLER]: "yes" } });
    assert.equal(unboundVolume(chosen).spec?.claimRef, undefined);
    assert.deepEqual(unboundVolume(volume("v", 1, { claimRef: ref("c1") })).spec?.claimRef, { ...ref(), uid: undefined });
  });
});

describe("a volume", () => {
  const mine = { claimRef: ref("c1") };

  it("is available, set apart, bound", () => {
    assert.deepEqual(planVolume(volume("v", 1), undefined), { phase: "Available" });
    assert.deepEqual(planVolume(volume("v", 1, { claimRef: ref() }), undefined), { phase: "Available", isClaimDue: true });
    assert.deepEqual(planVolume(volume("v", 1, mine), claim({ volumeName: "v" })), { phase: "Bound" });
    assert.deepEqual(planVolume(volume("v", 1, mine), claim()), { isClaimDue: true });
  });

  it("is released when its claim is gone or has become another", () => {
    assert.deepEqual(planVolume(volume("v", 1, mine), undefined), { phase: "Released" });
    const another = { ...claim(), metadata: { name: "data", namespace: "default", uid: "c2" } };
    assert.deepEqual(planVolume(volume("v", 1, mine), another), { phase: "Released" });
  });

  it("fails when no one can do what its policy asks", () => {
    const released = (policy: string, annotations = {}) =>
      planVolume(volume("v", 1, { ...mine, persistentVolumeReclaimPolicy: policy }, { annotations }), undefined);
    assert.deepEqual([released("Recycle").phase, released("Recycle").event?.reason], ["Failed", "VolumeFailedRecycle"]);
    assert.deepEqual([released("Delete").phase, released("Delete").event?.reason], ["Failed", "VolumeFailedDelete"]);
    assert.equal(released("Delete", { [PROVISIONED_BY]: "example.com/disk" }).phase, "Released");
  });

  it("is free again when its claim has taken another", () => {
    assert.deepEqual(planVolume(volume("v", 1, mine), claim({ volumeName: "w" })), { isUnbound: true });
  });
});
