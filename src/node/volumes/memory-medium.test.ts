import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Volume } from "../../api/types/core/v1.ts";
import { linuxResources } from "../containers/linux-resources.ts";
import { memoryMount } from "./memory-medium.ts";

const asking = (name: string, ...resources: string[]): Container => ({
  name,
  resources: { limits: Object.fromEntries([["memory", "1Gi"], ...resources.map((resource) => [resource, "4Mi"])]) },
});

function mountOf(volume: Omit<Volume, "name">, ...containers: Container[]) {
  return memoryMount({ metadata: {}, spec: { containers } }, { name: "v", ...volume });
}

test("what is secret, or is to be in memory, gets a tmpfs; all else is on disk", () => {
  assert.deepEqual(mountOf({ emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }), { type: "tmpfs", options: ["size=1048576"] });
  assert.deepEqual(mountOf({ secret: { secretName: "s" } }), { type: "tmpfs", options: [] });
  assert.equal(mountOf({ emptyDir: {} }), undefined);
  assert.equal(mountOf({ configMap: { name: "c" } }), undefined);
});

test("huge pages are of the size that the medium names, or that the containers agree on", () => {
  const size = (medium: string, ...containers: Container[]) => mountOf({ emptyDir: { medium } }, ...containers)?.options;
  assert.deepEqual(size("HugePages-2Mi"), ["pagesize=2097152"]);
  assert.deepEqual(size("HugePages", asking("a", "hugepages-1Gi"), asking("b", "hugepages-1Gi")), ["pagesize=1073741824"]);
  assert.throws(() => size("HugePages", asking("a")), /request huge pages of one size/);
  assert.throws(() => size("HugePages", asking("a", "hugepages-2Mi", "hugepages-1Gi")), /request huge pages of one size/);
});

test("a container's huge pages are limited by the kernel's name for their size", () => {
  const { hugePageLimits } = linuxResources({ metadata: {} }, asking("a", "hugepages-2Mi", "hugepages-64Ki").resources, 2 ** 30);
  assert.deepEqual(hugePageLimits, [
    { pageSize: "2MB", limitBytes: 4 * 2 ** 20 },
    { pageSize: "64KB", limitBytes: 4 * 2 ** 20 },
  ]);
});
