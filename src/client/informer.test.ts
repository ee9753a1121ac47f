import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builtInCatalog, resources } from "../api/index.ts";
import type { ConfigMap } from "../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { statusError } from "../machinery/index.ts";
import { ConnectionError } from "./connection-error.ts";
import { FakeHandler } from "./fake-handler.ts";
import { SharedInformers } from "./informer.ts";
import { LocalClient } from "./local/local-client.ts";

const { configmaps } = resources;
const namespace = "default";

function setUp(canStream = true) {
  const handler = new FakeHandler();
  handler.canStream = canStream;
  const clock = new VirtualClock();
  const client = new LocalClient({ handler, catalog: builtInCatalog(), user: { name: "test", groups: [] }, userAgent: "test" });
  const informers = new SharedInformers({ client, clock, random: new SeededRandom(1), logger: silentLogger });
  const informer = informers.informer(configmaps);
  const seen: string[] = [];
  informer.onChange({
    added: (object) => seen.push(`+${object.metadata.name}`),
    updated: (old, object) => seen.push(`${old.data?.["a"]}>${object.data?.["a"]}`),
    deleted: (object) => seen.push(`-${object.metadata.name}`),
  });
  const stop = new AbortController();
  const create = (name: string, data: Record<string, string> = {}) => client.create(configmaps, { metadata: { namespace, name }, data });
  const set = (object: Awaited<ReturnType<typeof create>>, a: string) => client.update(configmaps, { ...object, data: { a } });
  const remove = (name: string) => client.delete(configmaps, name, { namespace });
  return { handler, clock, client, informers, informer, seen, stop, create, set, remove };
}

for (const canStream of [true, false]) {
  describe(`SharedInformers, server ${canStream ? "with" : "without"} initial events`, () => {
    test("tell what is there, then each change, and keep the copy", async () => {
      const { clock, informers, informer, seen, stop, create, set, remove } = setUp(canStream);
      const a = await create("a", { a: "1" });
      await create("b");
      informers.start(stop.signal);
      await informers.waitForSync(stop.signal);
      assert.deepEqual(seen.splice(0), ["+a", "+b"]);
      const changed = await set(a, "2");
      await create("c");
      await remove("b");
      await clock.advance(0);
      assert.deepEqual(seen, ["1>2", "+c", "-b"]);
      assert.equal(informer.lister.get(namespace, "a"), changed);
      assert.deepEqual(informer.lister.list("other"), []);
      assert.deepEqual([informer.lister.isEmpty("other"), informer.lister.isEmpty(namespace)], [true, false]);
      assert.deepEqual(
        informer.lister.list().map((object) => object.metadata.name),
        ["a", "c"],
      );
      stop.abort();
    });

    test("start over after 410 and tell only what differs", async () => {
      const { clock, handler, informers, seen, stop, create, set, remove } = setUp(canStream);
      const a = await create("a", { a: "1" });
      await create("b");
      await create("same");
      informers.start(stop.signal);
      await informers.waitForSync(stop.signal);
      seen.length = 0;
      handler.failNext = new ConnectionError("cut", undefined);
      handler.cutWatches();
      await clock.advanceUntil(() => handler.failNext === undefined, 5000);
      await set(a, "2");
      await remove("b");
      await create("b");
      await create("c");
      handler.compact();
      await clock.advance(10_000);
      assert.deepEqual(seen.toSorted(), ["+b", "+c", "-b", "1>2"]);
      stop.abort();
    });
  });
}

describe("SharedInformers", () => {
  test("resume a stream that ended where it was, without another list", async () => {
    const { clock, handler, informers, seen, stop, create } = setUp();
    informers.start(stop.signal);
    await informers.waitForSync(stop.signal);
    handler.cutWatches();
    await create("a");
    await clock.advance(0);
    assert.deepEqual(seen, ["+a"]);
    assert.deepEqual(
      handler.calls.filter((call) => call !== "create"),
      ["watch", "watch"],
    );
    stop.abort();
  });

  test("back off from a server that fails, and sync when it recovers", async () => {
    const { clock, handler, informers, informer, stop } = setUp();
    handler.failNext = statusError("TooManyRequests", "later");
    informers.start(stop.signal);
    await clock.advance(799);
    assert.equal(handler.calls.length, 1);
    assert.equal(informer.hasSynced, false);
    await clock.advance(801);
    assert.equal(informer.hasSynced, true);
    stop.abort();
  });

  test("keep indexes true through changes, and survive a handler that throws", async () => {
    const { clock, informers, informer, seen, stop, create, set, remove } = setUp();
    informer.addIndex("a", (object) => (object.data?.["a"] === undefined ? [] : [object.data["a"]]));
    informer.onChange({
      added: () => {
        throw new Error("broken handler");
      },
    });
    const names = (value: string) => informer.lister.byIndex("a", value).map((object) => object.metadata.name);
    informers.start(stop.signal);
    const x = await create("x", { a: "1" });
    await create("y", { a: "1" });
    await clock.advance(0);
    assert.deepEqual(names("1"), ["x", "y"]);
    await set(x, "2");
    await remove("y");
    await clock.advance(0);
    assert.deepEqual([names("1"), names("2")], [[], ["x"]]);
    assert.equal(seen.length, 4);
    stop.abort();
  });

  test("give handlers that come late what is there, and stop when asked", async () => {
    const { clock, informers, informer, stop, create } = setUp();
    await create("a");
    informers.start(stop.signal);
    await informers.waitForSync(stop.signal);
    const late: ConfigMap["metadata"]["name"][] = [];
    const unsubscribe = informer.onChange({ added: (object) => late.push(object.metadata.name) });
    await create("b");
    await clock.advance(0);
    unsubscribe();
    await create("c");
    await clock.advance(0);
    assert.deepEqual(late, ["a", "b"]);
    assert.equal(informers.informer(configmaps), informer);
    assert.notEqual(informers.informer(configmaps, { namespace }), informer);
    stop.abort();
  });
});

test("an informer that is released ends when nobody is told of its changes any more", async () => {
  const { clock, informers, seen, stop, create } = setUp();
  const other = informers.informer(resources.secrets);
  const stopHandlers = other.onChange({});
  informers.start(stop.signal);
  await informers.waitForSync(stop.signal);
  informers.release(configmaps);
  informers.release(resources.secrets);
  assert.equal(informers.informer(resources.secrets), other);
  await create("a");
  await clock.advance(0);
  assert.deepEqual(seen, ["+a"]);
  stopHandlers();
  informers.release(resources.secrets);
  assert.notEqual(informers.informer(resources.secrets), other);
  stop.abort();
});
