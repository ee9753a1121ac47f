// What every Client does, whatever carries its calls. Run on the local client here, and on both clients against the real
// server in test/integration.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resources } from "../api/index.ts";
import type { ConfigMap, Pod } from "../api/types/core/v1.ts";
import { isAlreadyExists, isConflict, isNotFound, type KubeObject, StatusError } from "../machinery/index.ts";
import type { Client, WatchEvent } from "./client.ts";

/** A client of a server that has the namespace `default` and is nobody else's. */
export interface ClientUnderTest extends AsyncDisposable {
  readonly client: Client;
}

const namespace = "default";
const { configmaps, pods } = resources;

function configMap(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): ConfigMap {
  return { metadata: { namespace, name, labels }, data };
}

/** Collects events until `isEnough`, then stops the watch. */
async function collect<T extends KubeObject>(
  events: AsyncIterable<readonly WatchEvent<T>[]>,
  isEnough: (seen: readonly WatchEvent<T>[]) => boolean,
): Promise<readonly WatchEvent<T>[]> {
  const seen: WatchEvent<T>[] = [];
  for await (const batch of events) {
    seen.push(...batch);
    if (isEnough(seen)) break;
  }
  return seen;
}

export function clientSuite(name: string, makeClient: () => Promise<ClientUnderTest>): void {
  describe(`Client contract: ${name}`, () => {
    describeWrites(makeClient);
    describeLists(makeClient);
    describeWatches(makeClient);
  });
}

function describeWrites(makeClient: () => Promise<ClientUnderTest>): void {
  test("creates, gets, updates and deletes an object", async () => {
    await using server = await makeClient();
    const { client } = server;
    const created = await client.create(configmaps, configMap("cm", { a: "1" }));
    assert.equal(created.kind, "ConfigMap");
    assert.notEqual(created.metadata.uid ?? "", "");
    assert.deepEqual(await client.get(configmaps, "cm", { namespace }), created);
    const updated = await client.update(configmaps, { ...created, data: { a: "2" } });
    assert.equal(updated.data?.["a"], "2");
    assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
    await client.delete(configmaps, "cm", { namespace });
    await assert.rejects(client.get(configmaps, "cm", { namespace }), isNotFound);
  });

  test("rejects with the server's status", async () => {
    await using server = await makeClient();
    const { client } = server;
    const created = await client.create(configmaps, configMap("cm"));
    await client.update(configmaps, { ...created, data: { a: "1" } });
    await assert.rejects(client.create(configmaps, configMap("cm")), isAlreadyExists);
    await assert.rejects(client.update(configmaps, { ...created, data: { a: "2" } }), isConflict);
    await assert.rejects(client.delete(configmaps, "none", { namespace }), (error) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, 404);
      assert.equal(error.message, 'configmaps "none" not found');
      return true;
    });
  });

  test("lets the server complete a generateName", async () => {
    await using server = await makeClient();
    const created = await server.client.create(configmaps, { metadata: { namespace, generateName: "cm-" } });
    assert.match(created.metadata.name ?? "", /^cm-.+/);
  });

  test("stores nothing in a dry run", async () => {
    await using server = await makeClient();
    await server.client.create(configmaps, configMap("cm"), { dryRun: true });
    await assert.rejects(server.client.get(configmaps, "cm", { namespace }), isNotFound);
  });

  test("patches by merge and by apply", async () => {
    await using server = await makeClient();
    const { client } = server;
    await client.create(configmaps, configMap("cm", { a: "1", b: "1" }));
    const merged = await client.patch(configmaps, "cm", { data: { a: null, c: "3" } }, { namespace, type: "application/merge-patch+json" });
    assert.deepEqual(merged.data, { b: "1", c: "3" });
    const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new" }, data: { x: "1" } };
    const options = { namespace, type: "application/apply-patch+yaml", fieldManager: "suite", force: true } as const;
    assert.deepEqual((await client.patch(configmaps, "new", applied, options)).data, { x: "1" });
  });

  test("posts to a subresource", async () => {
    await using server = await makeClient();
    const { client } = server;
    const pod: Pod = { metadata: { namespace, name: "web" }, spec: { containers: [{ name: "web", image: "web" }] } };
    await client.create(pods, pod);
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "web" }, target: { kind: "Node", name: "node-1" } };
    await client.createSubresource(pods, "web", "binding", binding, { namespace });
    assert.equal((await client.get(pods, "web", { namespace })).spec?.nodeName, "node-1");
  });
}

function describeLists(makeClient: () => Promise<ClientUnderTest>): void {
  test("lists by namespace and label, in pages", async () => {
    await using server = await makeClient();
    const { client } = server;
    for (const [name, app] of Object.entries({ a: "x", b: "y", c: "x" })) await client.create(configmaps, configMap(name, {}, { app }));
    const names = async (options: { labelSelector?: string; limit?: number; continue?: string | undefined }) => {
      const list = await client.list(configmaps, { namespace, ...options });
      assert.notEqual(list.resourceVersion, "");
      return { names: list.items.map((item) => item.metadata.name), continue: list.continue };
    };
    assert.deepEqual((await names({ labelSelector: "app=x" })).names, ["a", "c"]);
    const first = await names({ labelSelector: "app=x", limit: 1 });
    assert.deepEqual(first.names, ["a"]);
    assert.deepEqual((await names({ labelSelector: "app=x", limit: 1, continue: first.continue })).names, ["c"]);
    assert.deepEqual((await client.list(configmaps, { namespace: "other" })).items, []);
  });

  test("deletes a selection", async () => {
    await using server = await makeClient();
    const { client } = server;
    for (const name of ["a", "b"]) await client.create(configmaps, configMap(name, {}, { app: name }));
    await client.deleteCollection(configmaps, { namespace, labelSelector: "app=a" });
    await assert.rejects(client.get(configmaps, "a", { namespace }), isNotFound);
    assert.equal((await client.get(configmaps, "b", { namespace })).metadata.name, "b");
  });

  test("rejects with the signal's reason", async () => {
    await using server = await makeClient();
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(server.client.list(configmaps, { namespace, signal }), (error) => error === reason);
  });
}

function describeWatches(makeClient: () => Promise<ClientUnderTest>): void {
  test("watches from a resourceVersion without a gap", async () => {
    await using server = await makeClient();
    const { client } = server;
    const { resourceVersion } = await client.list(configmaps, { namespace });
    const created = await client.create(configmaps, configMap("cm", { text: "größer\n" }));
    await client.update(configmaps, { ...created, data: { a: "1" } });
    await client.delete(configmaps, "cm", { namespace });
    const events = await collect(client.watch(configmaps, { namespace, resourceVersion }), (seen) => seen.length >= 3);
    assert.deepEqual(
      events.map((event) => event.type),
      ["ADDED", "MODIFIED", "DELETED"],
    );
    assert.deepEqual(events[0]?.type === "ADDED" && events[0].object, created);
  });

  test("streams what is there, a bookmark, then changes", async () => {
    await using server = await makeClient();
    const { client } = server;
    await client.create(configmaps, configMap("before", {}, { suite: "stream" }));
    const stream = client.watch(configmaps, {
      namespace,
      labelSelector: "suite=stream",
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: "NotOlderThan",
    });
    const seen: string[] = [];
    for await (const event of flatten(stream)) {
      seen.push(event.type === "BOOKMARK" ? `BOOKMARK ${event.isInitialEventsEnd}` : `${event.type} ${event.object.metadata.name}`);
      if (event.type === "BOOKMARK") await client.create(configmaps, configMap("after", {}, { suite: "stream" }));
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ["ADDED before", "BOOKMARK true", "ADDED after"]);
  });

  test("ends a watch with the signal's reason", async () => {
    await using server = await makeClient();
    const stop = new AbortController();
    const reason = new Error("enough");
    const created = await server.client.create(configmaps, configMap("cm"));
    const { signal } = stop;
    const watching = collect(
      server.client.watch(configmaps, { namespace, resourceVersion: created.metadata.resourceVersion, signal }),
      () => {
        stop.abort(reason);
        return false;
      },
    );
    await server.client.delete(configmaps, "cm", { namespace });
    await assert.rejects(watching, (error) => error === reason);
  });
}

async function* flatten<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const batch of batches) yield* batch;
}
