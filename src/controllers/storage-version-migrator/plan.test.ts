import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import { begun, definitionBegun, definitionEnded, ended, isUnderWay, type Migration, nextMigration } from "./plan.ts";

const now = "2026-01-01T00:00:00Z";
const later = "2026-01-01T00:01:00Z";

const migration = (name: string, creationTimestamp = now): Migration => ({
  metadata: { name, creationTimestamp },
  spec: { resource: { group: "example.com", resource: "widgets" } },
});

describe("migrations of one resource", () => {
  it("run one after the other, the oldest first", () => {
    const [a, b, c] = [migration("a", later), migration("b", later), migration("c", now)];
    assert.equal(nextMigration([a, b, c]), c);
    assert.equal(nextMigration([b, a]), a);
    const running = begun(b, "7", now);
    assert.equal(nextMigration([a, running, c]), running);
    assert.equal(nextMigration([ended(running, { type: "Failed", message: "" }, now)]), undefined);
  });

  it("remember the revision at which they began, and end once", () => {
    const running = begun(migration("a"), "7", now);
    assert.equal(isUnderWay(running), true);
    assert.equal(begun(running, "9", later).status?.resourceVersion, "7");
    const { status } = ended(running, { type: "Succeeded", message: "" }, later);
    assert.deepEqual(status?.conditions, [
      { type: "Succeeded", status: "True", reason: "StorageVersionMigrationSucceeded", message: "", lastTransitionTime: later },
    ]);
  });
});

describe("the definition of a migrated resource", () => {
  const version = (name: string, storage: boolean) => ({ name, storage, served: true });
  const definition = {
    metadata: { name: "widgets.example.com", generation: 3 },
    spec: {
      group: "example.com",
      names: { plural: "widgets", kind: "Widget" },
      scope: "Namespaced",
      versions: [version("v1", false), version("v2", true)],
    },
    status: { storedVersions: ["v1", "v2"] },
  } as CustomResourceDefinition;
  const migrating = ({ status }: ReturnType<typeof definitionBegun>) => {
    const { type, status: value, reason, message, observedGeneration } = status?.conditions?.[0] ?? {};
    return [type, value, reason, message, observedGeneration];
  };

  it("stores one version only when all is migrated", () => {
    const running = definitionBegun(definition, "m", now);
    assert.deepEqual(migrating(running), ["StorageMigrating", "True", "MigrationRunning", "Migration m is running", 3]);
    assert.deepEqual(running.status?.storedVersions, ["v1", "v2"]);
    const after = definitionEnded(running, { type: "Succeeded" }, later);
    const message = "The migration has succeeded and the stored versions have been updated";
    assert.deepEqual(migrating(after), ["StorageMigrating", "False", "MigrationSucceeded", message, 3]);
    assert.deepEqual(after.status?.storedVersions, ["v2"]);
  });

  it("keeps its stored versions when it was changed meanwhile, or the migration failed", () => {
    const running = definitionBegun(definition, "m", now);
    const changed = definitionEnded({ ...running, metadata: { ...running.metadata, generation: 4 } }, { type: "Succeeded" }, later);
    assert.deepEqual(changed.status?.storedVersions, ["v1", "v2"]);
    assert.match(String(migrating(changed)[3]), /generation mismatch/);
    const failed = definitionEnded(running, { type: "Failed" }, later);
    assert.deepEqual(migrating(failed).slice(0, 3), ["StorageMigrating", "False", "MigrationFailed"]);
    assert.deepEqual(failed.status?.storedVersions, ["v1", "v2"]);
  });
});
