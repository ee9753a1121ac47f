import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAlreadyExists, isConflict, isNotFound, type KubeObject, StatusError } from "../../machinery/index.ts";
import { CoreFixture, configMap } from "./testing/core-fixture.ts";

const decode = (json: Uint8Array) => JSON.parse(Buffer.from(json).toString()) as KubeObject & Record<string, unknown>;

describe("create, get, update and delete", () => {
  it("answers the created object with uid, creationTimestamp and resourceVersion, and the same to a get", async () => {
    await using server = await CoreFixture.start();
    const created = await server.create("configmaps", configMap("a", { k: "v" }));
    const { metadata, data } = decode(created.json);
    assert.deepEqual(data, { k: "v" });
    assert.equal(metadata.namespace, "default");
    assert.match(metadata.uid ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(metadata.creationTimestamp, "2026-01-01T00:00:00Z");
    assert.equal(metadata.resourceVersion, created.object.metadata.resourceVersion);
    const got = await server.get("configmaps", "a");
    assert.equal(got, created);
    assert.deepEqual(decode(got.json), got.object);
  });

  it("refuses a second object of the same name, and an unknown one", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    await assert.rejects(server.create("configmaps", configMap("a")), isAlreadyExists);
    await assert.rejects(server.get("configmaps", "b"), isNotFound);
  });

  it("generates names, trying again when one is taken", async () => {
    const draws = [0, 0, 0.5];
    const random = {
      next: () => draws[Math.floor(drawn++ / 5)] ?? 0.9,
      bytes: (length: number) => new Uint8Array(length),
    };
    let drawn = 0;
    await using server = await CoreFixture.start({ random });
    drawn = 0;
    const one = await server.create("configmaps", { metadata: { generateName: "x-" } });
    const two = await server.create("configmaps", { metadata: { generateName: "x-" } });
    assert.equal(one.object.metadata.name, "x-bbbbb");
    assert.notEqual(two.object.metadata.name, "x-bbbbb");
  });

  it("refuses an update with a stale resourceVersion and takes one without any", async () => {
    await using server = await CoreFixture.start();
    const { object } = await server.create("configmaps", configMap("a"));
    await server.update("configmaps", configMap("a", { k: "1" }) as never);
    const stale = { ...object, data: { k: "2" } };
    await assert.rejects(server.update("configmaps", stale as never), isConflict);
    const { object: now } = await server.get("configmaps", "a");
    assert.deepEqual((now as KubeObject & { data?: unknown }).data, { k: "1" });
    assert.equal(now.metadata.uid, object.metadata.uid);
  });

  it("writes nothing when an update changes nothing", async () => {
    await using server = await CoreFixture.start();
    const { object } = await server.create("configmaps", configMap("a", { k: "1" }));
    const again = await server.update("configmaps", configMap("a", { k: "1" }) as never);
    assert.equal(again.object.metadata.resourceVersion, object.metadata.resourceVersion);
  });

  it("refuses a body of another kind, namespace or name", async () => {
    await using server = await CoreFixture.start();
    const code400 = (error: unknown) => error instanceof StatusError && error.code === 400;
    await assert.rejects(server.create("configmaps", { kind: "Secret", apiVersion: "v1", metadata: { name: "a" } }), code400);
    await assert.rejects(server.create("configmaps", configMap("a", {}, { namespace: "other" })), code400);
    const scope = server.scope("configmaps", { name: "b" });
    await assert.rejects(server.core.update(scope, configMap("a"), {}), code400);
  });

  it("keeps a deleted object until its finalizers are gone", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a", {}, { finalizers: ["example.com/x"] }));
    const kept = await server.delete("configmaps", "a");
    assert.ok("stored" in kept);
    assert.equal(kept.stored.object.metadata.deletionTimestamp, "2026-01-01T00:00:00Z");
    await server.update("configmaps", configMap("a") as never);
    await assert.rejects(server.get("configmaps", "a"), isNotFound);
  });

  it("answers a Success status when nothing keeps the object, and checks preconditions", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    await assert.rejects(server.delete("configmaps", "a", { preconditions: { uid: "other" } }), isConflict);
    const gone = await server.delete("configmaps", "a");
    assert.ok("status" in gone && gone.status.status === "Success");
    await assert.rejects(server.get("configmaps", "a"), isNotFound);
  });

  it("turns a propagation policy into a finalizer", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    const kept = await server.delete("configmaps", "a", { propagationPolicy: "Foreground" });
    assert.deepEqual("stored" in kept && kept.stored.object.metadata.finalizers, ["foregroundDeletion"]);
  });

  it("stores nothing in a dry run", async () => {
    await using server = await CoreFixture.start();
    const dry = await server.core.create(server.scope("configmaps"), configMap("a"), { dryRun: true });
    assert.equal(dry.object.metadata.name, "a");
    await assert.rejects(server.get("configmaps", "a"), isNotFound);
    await server.create("configmaps", configMap("a", { k: "0" }));
    await server.core.update(server.scope("configmaps", { name: "a" }), configMap("a", { k: "1" }), { dryRun: true });
    await server.delete("configmaps", "a", { dryRun: ["All"] });
    assert.deepEqual((await server.get("configmaps", "a")).object, { ...(await server.get("configmaps", "a")).object, data: { k: "0" } });
  });

  it("refuses with upstream's words what the authorizer refuses", async () => {
    await using server = await CoreFixture.start({ authorizer: { authorize: () => ({ allowed: false, reason: "" }) } });
    await assert.rejects(server.core.list(server.scope("pods"), {}), {
      message: 'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"',
    });
  });
});
