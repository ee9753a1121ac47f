import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import { protectedFinalizers } from "../protected-finalizers.ts";
import { claimsInUse } from "./plan.ts";

const FINALIZER = "kubernetes.io/pvc-protection";
const used = () => true;
const unused = () => false;

describe("protectedFinalizers", () => {
  it("adds the finalizer to an object that lacks it, used or not", () => {
    assert.deepEqual(protectedFinalizers({ metadata: { finalizers: ["a"] } }, FINALIZER, unused), ["a", FINALIZER]);
    assert.equal(protectedFinalizers({ metadata: { finalizers: [FINALIZER] } }, FINALIZER, unused), undefined);
  });

  it("takes it from a deleted object when nothing uses it, and adds none to such a one", () => {
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const object = { metadata: { finalizers: ["a", FINALIZER], deletionTimestamp } };
    assert.equal(protectedFinalizers(object, FINALIZER, used), undefined);
    assert.deepEqual(protectedFinalizers(object, FINALIZER, unused), ["a"]);
    assert.equal(protectedFinalizers({ metadata: { deletionTimestamp } }, FINALIZER, unused), undefined);
  });
});

describe("claimsInUse", () => {
  const volumes = [
    { name: "a", persistentVolumeClaim: { claimName: "data" } },
    { name: "b", ephemeral: {} },
    { name: "c", emptyDir: {} },
  ];
  const pod = (nodeName: string | undefined, phase: string) =>
    ({ metadata: { name: "p" }, spec: { containers: [], volumes, nodeName }, status: { phase } }) as Pod;

  it("are those of a pod that has a node", () => {
    assert.deepEqual(claimsInUse(pod(undefined, "Pending")), []);
    assert.deepEqual(claimsInUse(pod("n", "Running")), ["data", "p-b"]);
  });

  it("lets the claims of ephemeral volumes go when the pod has ended", () => {
    assert.deepEqual(claimsInUse(pod("n", "Succeeded")), ["data"]);
  });
});
