import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isForbidden, isNotFound } from "../../machinery/index.ts";
import { CoreFixture, configMap } from "./testing/core-fixture.ts";

describe("namespaces", () => {
  it("must exist and must not be going away to take new objects", async () => {
    await using server = await CoreFixture.start();
    const place = { namespace: "x" };
    await assert.rejects(server.create("configmaps", configMap("a"), place), { message: 'namespaces "x" not found' });
    await server.create("namespaces", { metadata: { name: "x" } });
    await server.create("configmaps", configMap("a"), place);
    await server.delete("namespaces", "x");
    await assert.rejects(server.create("configmaps", configMap("b"), place), {
      message: 'configmaps "b" is forbidden: unable to create new content in namespace x because it is being terminated',
    });
  });

  it("stay, terminating, until they are finalized", async () => {
    await using server = await CoreFixture.start();
    await server.create("namespaces", { metadata: { name: "x" } });
    const kept = await server.delete("namespaces", "x");
    assert.ok("stored" in kept);
    const { metadata, status } = kept.stored.object as unknown as { metadata: object; status: { phase: string } };
    assert.equal(status.phase, "Terminating");
    await server.update("namespaces", { metadata, spec: { finalizers: [] } } as never, { subresource: "finalize" });
    await assert.rejects(server.get("namespaces", "x"), isNotFound);
  });

  it("of the system are there from the start and cannot be deleted", async () => {
    await using server = await CoreFixture.start();
    await server.get("namespaces", "kube-node-lease");
    await assert.rejects(server.delete("namespaces", "kube-system"), isForbidden);
  });
});
