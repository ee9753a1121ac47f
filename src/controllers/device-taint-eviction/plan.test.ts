import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeviceTaint, DeviceToleration, ResourceClaim, ResourceSlice } from "../../api/types/resource/v1.ts";
import type { DeviceTaintRule } from "../../api/types/resource/v1beta2.ts";
import { evictingTaints, podEviction } from "./plan.ts";
import { type RuleCounts, ruleCondition } from "./rule-condition.ts";

const REF = { driver: "gpu.example.com", pool: "n1", device: "a" };
const since = "2026-01-01T00:00:00Z";
const sinceMs = Date.parse(since);

const pod: Pod = { metadata: { name: "p", namespace: "default", uid: "p" }, spec: { nodeName: "n1", containers: [] } };

function slice(generation: number, taints: DeviceTaint[]): ResourceSlice {
  const pool = { name: REF.pool, generation, resourceSliceCount: 1 };
  return { metadata: { name: `s${generation}` }, spec: { driver: REF.driver, pool, devices: [{ name: REF.device, taints }] } };
}

function rule(taint: Partial<DeviceTaint> = {}, selector: DeviceTaintRule["spec"]["deviceSelector"] = {}): DeviceTaintRule {
  const spec = { deviceSelector: selector, taint: { key: "sick", effect: "NoExecute", timeAdded: since, ...taint } };
  return { metadata: { name: "r", uid: "r", generation: 2 }, spec };
}

function claim(tolerations: DeviceToleration[] = [], users = ["p"]): ResourceClaim {
  const allocation = { devices: { results: [{ ...REF, request: "gpu", tolerations }] } };
  const reservedFor = users.map((uid) => ({ resource: "pods", name: uid, uid }));
  return { metadata: { name: "c", namespace: "default" }, spec: {}, status: { allocation, reservedFor } };
}

const leavesAt = (claims: ResourceClaim[], rules: DeviceTaintRule[], slices: ResourceSlice[] = []) =>
  podEviction(
    pod,
    claims,
    evictingTaints(() => slices, rules),
  )?.atMs;

describe("podEviction", () => {
  it("sends a pod away from when a device of its got a NoExecute taint", () => {
    assert.equal(leavesAt([claim()], [rule()]), sinceMs);
    assert.equal(leavesAt([claim()], [], [slice(1, [{ key: "sick", effect: "NoExecute", timeAdded: since }])]), sinceMs);
    assert.deepEqual(
      [
        ...(podEviction(
          pod,
          [claim()],
          evictingTaints(() => [], [rule()]),
        )?.rules ?? []),
      ],
      ["r"],
    );
  });

  it("lets it stay as long as the claim tolerates the taint", () => {
    const tolerates = (...seconds: (number | undefined)[]) =>
      leavesAt([claim(seconds.map((tolerationSeconds) => ({ key: "sick", operator: "Exists", tolerationSeconds })))], [rule()]);
    assert.equal(tolerates(60), sinceMs + 60_000);
    assert.equal(tolerates(60, 30), sinceMs + 30_000);
    assert.equal(tolerates(undefined), undefined);
    assert.equal(tolerates(-1), sinceMs);
  });

  it("leaves pods alone that others' claims, other devices, other effects or older slices are about", () => {
    assert.equal(leavesAt([claim([], ["other"])], [rule()]), undefined);
    assert.equal(leavesAt([claim()], [rule({}, { device: "b" })]), undefined);
    assert.equal(leavesAt([claim()], [{ ...rule(), spec: { taint: rule().spec.taint } }]), undefined);
    assert.equal(leavesAt([claim()], [rule({ effect: "NoSchedule" })]), undefined);
    assert.equal(leavesAt([claim()], [], [slice(1, [{ key: "sick", effect: "NoExecute" }]), slice(2, [])]), undefined);
  });

  it("has nothing to do with pods that have no node, have ended or are going", () => {
    const at = (changed: Pod) =>
      podEviction(
        changed,
        [claim()],
        evictingTaints(() => [], [rule()]),
      );
    assert.equal(at({ ...pod, spec: { containers: [] } }), undefined);
    assert.equal(at({ ...pod, status: { phase: "Succeeded" } }), undefined);
    assert.equal(at({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: since } }), undefined);
  });
});

describe("ruleCondition", () => {
  const none: RuleCounts = { pods: 0, namespaces: 0, evicted: 0, publishedDevices: 0, allocatedDevices: 0 };
  const said = (effect: string, counts: Partial<RuleCounts>) => {
    const { status, reason, message, observedGeneration } = ruleCondition(rule({ effect }), { ...none, ...counts });
    assert.equal(observedGeneration, 2);
    return `${status} ${reason}: ${message}`;
  };

  it("tells how many pods have to go and have gone", () => {
    assert.equal(said("NoExecute", {}), "False NotStarted: ");
    assert.equal(said("NoExecute", { pods: 1, namespaces: 1 }), "True PodsPendingEviction: 1 pod needs to be evicted in 1 namespace.");
    assert.equal(
      said("NoExecute", { pods: 3, namespaces: 2, evicted: 1 }),
      "True PodsPendingEviction: 3 pods need to be evicted in 2 different namespaces. 1 pod evicted since starting the controller.",
    );
    assert.equal(said("NoExecute", { evicted: 2 }), "False Completed: 2 pods evicted since starting the controller.");
  });

  it("tells what a rule without effect would do, and that others do nothing to pods", () => {
    assert.equal(
      said("None", { pods: 1, namespaces: 1, publishedDevices: 2, allocatedDevices: 1 }),
      "False NoEffect: 2 published devices selected. 1 allocated device selected. 1 pod would be evicted in 1 namespace if the effect was NoExecute. This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.",
    );
    assert.equal(said("NoSchedule", {}), "False OtherEffect: Eviction only happens for the NoExecute effect.");
  });
});
