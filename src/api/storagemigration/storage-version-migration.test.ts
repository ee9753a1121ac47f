import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { StorageVersionMigration, StorageVersionMigrationStatus } from "../types/storagemigration/v1beta1.ts";
import { storageVersionMigrationStrategy as strategy } from "./storage-version-migration.ts";

const migration = (resource: string, status?: StorageVersionMigrationStatus): StorageVersionMigration => ({
  metadata: { name: "m" },
  spec: { resource: { group: "apps", resource } },
  status,
});
const clock = { now: () => 0 };
const condition = (type: string, status = "True") => ({
  type,
  status,
  reason: "Why",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const statusErrors = (now: StorageVersionMigrationStatus, old: StorageVersionMigrationStatus = {}) =>
  (strategy.validateStatusUpdate?.(migration("deployments", now), migration("deployments", old), { clock }) ?? []).map(
    ({ path, detail }) => `${path}: ${detail}`,
  );

describe("a StorageVersionMigration", () => {
  it("names one resource, for good", () => {
    assert.deepEqual(strategy.validate?.(migration("deployments")), []);
    assert.deepEqual(
      strategy.validate?.(migration("")).map((error) => fieldErrorMessage(error)),
      ["spec.resource.resource: Required value"],
    );
    assert.equal(strategy.validateUpdate?.(migration("replicasets"), migration("deployments")).length, 1);
  });

  it("ends once, in one way", () => {
    const succeeded = { resourceVersion: "5", conditions: [condition("Succeeded")] };
    assert.deepEqual(statusErrors(succeeded, { resourceVersion: "5", conditions: [condition("Running")] }), []);
    assert.deepEqual(statusErrors({ conditions: [condition("Succeeded"), condition("Failed")] }), [
      "status.conditions: Both success and failed conditions cannot be true at the same time",
    ]);
    assert.deepEqual(statusErrors({ conditions: [condition("Running"), condition("Failed")] }), [
      "status.conditions: Running condition cannot be true when failed condition is true",
    ]);
    assert.deepEqual(statusErrors({ resourceVersion: "5", conditions: [condition("Succeeded", "False")] }, succeeded), [
      "status.conditions: Success condition cannot be set to false once it is true",
    ]);
  });

  it("keeps the revision at which it began", () => {
    assert.deepEqual(statusErrors({ resourceVersion: "x" }), ["status.resourceVersion: resource version is not well formed: x"]);
    assert.deepEqual(statusErrors({ resourceVersion: "6" }, { resourceVersion: "5" }), ["status.resourceVersion: field is immutable"]);
  });
});
