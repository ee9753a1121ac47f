import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInCatalog, resources } from "../../api/index.ts";
import { clientSuite } from "../client.suite.ts";
import { FakeHandler } from "../fake-handler.ts";
import { LocalClient } from "./local-client.ts";

function makeLocalClient(handler = new FakeHandler()): LocalClient {
  return new LocalClient({ handler, catalog: builtInCatalog(), user: { name: "test", groups: [] }, userAgent: "test/1" });
}

clientSuite("LocalClient", async () => ({ client: makeLocalClient(), [Symbol.asyncDispose]: async () => {} }));

test("LocalClient hands out the server's own frozen objects", async () => {
  const client = makeLocalClient();
  const created = await client.create(resources.namespaces, { metadata: { name: "a" } });
  assert.equal(await client.get(resources.namespaces, "a"), created);
  assert.ok(Object.isFrozen(created.metadata));
});
