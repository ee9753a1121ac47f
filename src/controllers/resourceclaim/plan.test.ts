import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/types/resource/v1.ts";
import { planClaim, planPodClaims } from "./plan.ts";

const template: ResourceClaimTemplate = {
  metadata: { name: "gpu" },
  spec: { metadata: { labels: { kind: "gpu" } }, spec: { devices: {} } },
};
const find = (name: string) => (name === "gpu" ? template : undefined);

function pod(options: { phase?: string; nodeName?: string; deletionTimestamp?: string } = {}): Pod {
  const { phase = "Running", nodeName = "n", deletionTimestamp } = options;
  return {
    metadata: { name: "p", namespace: "default", uid: "u", ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: {
      containers: [],
      nodeName,
      resourceClaims: [
        { name: "a", resourceClaimTemplateName: "gpu" },
        { name: "b", resourceClaimName: "shared" },
      ],
    },
    status: { phase },
  };
}

function claim(status: ResourceClaim["status"], metadata: object = {}): ResourceClaim {
  return { metadata: { name: "c", namespace: "default", ...metadata }, spec: {}, status };
}

const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
const reservation = (uid = "u") => ({ resource: "pods", name: "p", uid });
const allocation = { devices: {} };

describe("a pod's claims", () => {
  it("are made of their templates, once", () => {
    const { create } = planPodClaims(pod(), [], find);
    const made = create.get("a");
    assert.deepEqual([...create.keys()], ["a"]);
    assert.deepEqual(made?.metadata, {
      generateName: "p-a-",
      namespace: "default",
      labels: { kind: "gpu" },
      annotations: { "resource.kubernetes.io/pod-claim-name": "a" },
      ownerReferences: [{ ...owner, blockOwnerDeletion: true }],
    });
    const known = { ...made, metadata: { ...made?.metadata, name: "p-a-x1" } } as ResourceClaim;
    assert.deepEqual(planPodClaims(pod(), [known], find).statuses, [{ name: "a", resourceClaimName: "p-a-x1" }]);
    assert.equal(planPodClaims(pod(), [known], find).create.size, 0);
  });

  it("wait for a template that is not there, and are not made for pods that end", () => {
    assert.deepEqual(planPodClaims(pod(), [], () => undefined).missing, ["gpu"]);
    for (const each of [pod({ phase: "Succeeded" }), pod({ deletionTimestamp: "2026-01-01T00:00:00Z" })]) {
      assert.equal(planPodClaims(each, [], find).create.size, 0);
    }
  });
});

describe("a claim", () => {
  it("keeps what pods that run have reserved", () => {
    assert.deepEqual(
      planClaim(claim({ allocation, reservedFor: [reservation()] }), () => pod()),
      {},
    );
  });

  it("loses reservations of pods that are gone, done or others, and with the last one its devices", () => {
    for (const other of [undefined, pod({ phase: "Failed" }), { ...pod(), metadata: { name: "p", uid: "other" } }]) {
      const plan = planClaim(claim({ allocation, reservedFor: [reservation()] }), () => other);
      assert.deepEqual(plan, { status: {}, isReleased: true });
    }
    const foreign = { resource: "jobs", apiGroup: "batch", name: "j", uid: "j" };
    const shared = planClaim(claim({ allocation, reservedFor: [reservation(), foreign] }), () => undefined);
    assert.deepEqual(shared, { status: { allocation, reservedFor: [foreign] } });
  });

  it("that is deleted gives its devices back, though no one ever used them", () => {
    const deleted = claim({ allocation }, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    assert.deepEqual(
      planClaim(deleted, () => undefined),
      { status: {}, isReleased: true },
    );
    assert.deepEqual(
      planClaim(claim({ allocation }), () => undefined),
      {},
    );
  });

  it("of a template goes when its pod is done", () => {
    const generated = claim({}, { ownerReferences: [owner] });
    assert.deepEqual(
      planClaim(generated, () => pod({ phase: "Succeeded" })),
      { isToDelete: true },
    );
    assert.deepEqual(
      planClaim(generated, () => pod()),
      {},
    );
  });
});
