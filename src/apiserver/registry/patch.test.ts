import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PatchOptions, Stored } from "../../api/index.ts";
import { isConflict, type ManagedFieldsEntry, StatusError } from "../../machinery/index.ts";
import { CoreFixture, configMap } from "./testing/core-fixture.ts";

const data = ({ object }: Stored) => (object as unknown as { data: Record<string, string> }).data;
const managers = ({ object }: Stored) =>
  (object.metadata.managedFields as ManagedFieldsEntry[]).map((entry) => `${entry.manager} ${entry.operation}`);

function patch(server: CoreFixture, body: unknown, { type, force, manager = "test" }: PatchOptions & { manager?: string }) {
  const scope = { ...server.scope("configmaps", { name: "a" }), fieldManager: manager };
  return server.core.patch(scope, body, { type, force });
}

const applied = (fields: Record<string, string>) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: fields });

describe("patch", () => {
  it("merges, by JSON merge, strategic merge and JSON patch", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a", { x: "1", y: "2" }));
    await patch(server, { data: { x: null } }, { type: "application/merge-patch+json" });
    await patch(server, { data: { z: "3" } }, { type: "application/strategic-merge-patch+json" });
    const { stored } = await patch(server, [{ op: "replace", path: "/data/y", value: "4" }], { type: "application/json-patch+json" });
    assert.deepEqual(data(stored), { y: "4", z: "3" });
  });

  it("shares with what stood all that a patch of metadata leaves alone, and still checks the metadata", async () => {
    await using server = await CoreFixture.start();
    const before = await server.create("configmaps", configMap("a", { x: "1" }));
    const label = (value: unknown) =>
      patch(server, { metadata: { labels: { a: value } } }, { type: "application/strategic-merge-patch+json" });
    const { stored } = await label("b");
    assert.equal(data(stored), data(before));
    assert.deepEqual(stored.object.metadata.labels, { a: "b" });
    await assert.rejects(label(1), /cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string/);
    await assert.rejects(label("no label!"), /Invalid value: "no label!"/);
  });

  it("answers 422 for a JSON patch that does not fit, 409 for one with a stale resourceVersion", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    const misfit = patch(server, [{ op: "test", path: "/data/y", value: "4" }], { type: "application/json-patch+json" });
    await assert.rejects(misfit, (error) => error instanceof StatusError && error.code === 422);
    await assert.rejects(patch(server, { metadata: { resourceVersion: "1" } }, { type: "application/merge-patch+json" }), isConflict);
  });

  it("loses nothing when many come at once", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    const keys = Array.from({ length: 8 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => patch(server, { data: { [key]: "v" } }, { type: "application/merge-patch+json" })));
    assert.deepEqual(Object.keys(data(await server.get("configmaps", "a"))).sort(), keys);
  });

  it("applies: creates, owns, and refuses what others own unless forced", async () => {
    await using server = await CoreFixture.start();
    const type = "application/apply-patch+yaml";
    const first = await patch(server, applied({ x: "1" }), { type, manager: "one" });
    assert.equal(first.created, true);
    const same = await patch(server, applied({ x: "1" }), { type, manager: "one" });
    assert.equal(same.stored.object.metadata.resourceVersion, first.stored.object.metadata.resourceVersion);
    await assert.rejects(patch(server, applied({ x: "2" }), { type, manager: "two" }), isConflict);
    const forced = await patch(server, applied({ x: "2" }), { type, manager: "two", force: true });
    assert.deepEqual([data(forced.stored), forced.created], [{ x: "2" }, false]);
    assert.deepEqual(managers(forced.stored), ["two Apply"]);
  });

  it("refuses unknown fields when validation is strict, and else drops them with a warning", async () => {
    await using server = await CoreFixture.start();
    const body = { ...configMap("a"), extra: 1 };
    await assert.rejects(server.core.create(server.scope("configmaps"), body, { fieldValidation: "Strict" }), /unknown field "extra"/);
    const created = await server.create("configmaps", body);
    assert.equal("extra" in created.object, false);
    assert.deepEqual(server.warnings, ['unknown field "extra"']);
  });

  it("scales through the scale subresource, and counts generations", async () => {
    await using server = await CoreFixture.start();
    const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    await server.create("apps/v1/deployments", {
      metadata: { name: "d" },
      spec: { replicas: 1, selector: { matchLabels: { app: "x" } }, template },
    });
    const scope = server.scope("apps/v1/deployments", { name: "d", subresource: "scale" });
    const { stored } = await server.core.patch(scope, { spec: { replicas: 3 } }, { type: "application/merge-patch+json" });
    assert.equal(stored.object.kind, "Scale");
    const { object } = await server.get("apps/v1/deployments", "d");
    assert.deepEqual([(object as unknown as { spec: { replicas: number } }).spec.replicas, object.metadata.generation], [3, 2]);
  });
});
