import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HARD } from "../eviction/thresholds.ts";
import { kubeletConfiguration } from "./kubelet-configuration.ts";

function configurationOf(fields: object) {
  return kubeletConfiguration({ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...fields });
}

test("a file that sets nothing changes nothing", () => {
  const { eviction, maxPods, podPidsLimit, shutdown, pullVerification } = configurationOf({});
  assert.deepEqual(eviction, { evictionSoftGracePeriodMs: {} });
  assert.deepEqual([maxPods, podPidsLimit, shutdown], [undefined, undefined, []]);
  assert.equal(pullVerification.policy, "NeverVerifyPreloadedImages");
});

test("a time for critical pods is taken from the end of the whole time", () => {
  const { shutdown } = configurationOf({ shutdownGracePeriod: "1m30s", shutdownGracePeriodCriticalPods: "10s" });
  assert.deepEqual(shutdown, [
    { priority: 0, graceMs: 80_000 },
    { priority: 2_000_000_000, graceMs: 10_000 },
  ]);
  assert.throws(() => configurationOf({ shutdownGracePeriod: "5s", shutdownGracePeriodCriticalPods: "10s" }), /must not be longer/);
});

test("times by priority are sorted, and exclude the others", () => {
  const shutdownGracePeriodByPodPriority = [
    { priority: 1000, shutdownGracePeriodSeconds: 5 },
    { priority: 0, shutdownGracePeriodSeconds: 60 },
  ];
  const { shutdown } = configurationOf({ shutdownGracePeriodByPodPriority });
  assert.deepEqual(
    shutdown.map(({ priority, graceMs }) => [priority, graceMs]),
    [
      [0, 60_000],
      [1000, 5_000],
    ],
  );
  assert.throws(() => configurationOf({ shutdownGracePeriodByPodPriority, shutdownGracePeriod: "5s" }), /cannot be given together/);
});

test("thresholds replace the defaults, unless they are to be merged", () => {
  const evictionHard = { "nodefs.available": "10%" };
  assert.deepEqual(configurationOf({ evictionHard }).eviction.evictionHard, evictionHard);
  const merged = configurationOf({ evictionHard, mergeDefaultEvictionSettings: true }).eviction.evictionHard;
  assert.deepEqual(merged, { ...DEFAULT_HARD, "nodefs.available": "10%" });
  const soft = { evictionSoft: { "memory.available": "1Gi" }, evictionSoftGracePeriod: { "memory.available": "1m" } };
  assert.deepEqual(configurationOf(soft).eviction.evictionSoftGracePeriodMs, { "memory.available": 60_000 });
  assert.throws(() => configurationOf({ evictionSoft: soft.evictionSoft }), /must have a grace period/);
});

test("what is not followed, or cannot be meant, is refused with its name", () => {
  assert.throws(() => configurationOf({ cgroupDriver: "systemd", cpuManagerPolicy: "static" }), /cgroupDriver, cpuManagerPolicy/);
  assert.throws(() => kubeletConfiguration({ kind: "KubeletConfiguration" }), /not "KubeletConfiguration"/);
  assert.throws(() => configurationOf({ maxPods: -1 }), /maxPods/);
  assert.throws(() => configurationOf({ shutdownGracePeriod: "soon" }), /shutdownGracePeriod must be a duration/);
  assert.throws(() => configurationOf({ imagePullCredentialsVerificationPolicy: "Sometimes" }), /must be one of/);
  assert.throws(() => configurationOf({ preloadedImagesVerificationAllowlist: ["a/*"] }), /NeverVerifyAllowlistedImages only/);
});
