import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "../api/types/core/v1.ts";
import { refusedFeature } from "./feature-admission.ts";

const features = { supplementalGroupsPolicy: false, isAppArmorEnabled: false };
const podWith = (spec: Partial<PodSpec>) => ({ metadata: { name: "web" }, spec: { containers: [{ name: "main" }], ...spec } });
const sysctls = (name: string) => ({ securityContext: { sysctls: [{ name, value: "1" }] } });

test("safe sysctls are admitted, others are named in the refusal", () => {
  assert.equal(refusedFeature(podWith(sysctls("kernel.shm_rmid_forced")), features), undefined);
  assert.equal(refusedFeature(podWith(sysctls("net/ipv4/tcp_syncookies")), features), undefined);
  assert.deepEqual(refusedFeature(podWith(sysctls("kernel.msgmax")), features), {
    phase: "Failed",
    reason: "SysctlForbidden",
    message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
  });
});

test("a sysctl of a namespace that the pod shares with the host is refused", () => {
  const cause = refusedFeature(podWith({ hostNetwork: true, ...sysctls("net.ipv4.tcp_syncookies") }), features);
  assert.equal(cause?.message, 'Pod was rejected: forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled');
});

test("AppArmor profiles are refused where the kernel has no AppArmor", () => {
  const pod = podWith({ securityContext: { appArmorProfile: { type: "RuntimeDefault" } } });
  assert.equal(refusedFeature(pod, features)?.reason, "AppArmor");
  assert.equal(refusedFeature(pod, { ...features, isAppArmorEnabled: true }), undefined);
  assert.equal(refusedFeature(podWith({ securityContext: { appArmorProfile: { type: "Unconfined" } } }), features), undefined);
});

test("strict supplemental groups are refused when the runtime cannot keep to them", () => {
  const pod = podWith({ securityContext: { supplementalGroupsPolicy: "Strict" } });
  assert.equal(refusedFeature(pod, features)?.reason, "SupplementalGroupsPolicyNotSupported");
  assert.equal(refusedFeature(pod, { ...features, supplementalGroupsPolicy: true }), undefined);
  assert.equal(refusedFeature(pod, { ...features, supplementalGroupsPolicy: undefined }), undefined);
});
