import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/index.ts";
import type { ConfigMap, Pod } from "../../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { isNotFound } from "../../machinery/index.ts";
import { FakeClient } from "../fake-client.fixture.ts";
import { ObjectCache } from "../object-cache.ts";
import { ContentFollower } from "./content-follower.ts";

function pod(uid: string): Pod {
  const volumes = [{ name: "v", configMap: { name: "settings" } }];
  return { metadata: { name: uid, namespace: "default", uid }, spec: { containers: [{ name: "main" }], volumes } };
}

function world() {
  const clock = new VirtualClock();
  const client = new FakeClient(() => clock.now());
  const store = new ObjectCache(client, clock);
  const changed: string[] = [];
  const options = { client, clock, random: new SeededRandom(1), logger: silentLogger, store, onChange: (uid: string) => changed.push(uid) };
  const put = async (data: Record<string, string>, more: Partial<ConfigMap> = {}) => {
    const object = { metadata: { name: "settings", namespace: "default" }, data, ...more };
    const known = client.peek(resources.configmaps, "settings", "default");
    if (known === undefined) await client.create(resources.configmaps, object, { namespace: "default" });
    else await client.update(resources.configmaps, object, { namespace: "default" });
    await clock.advance(10);
  };
  return { clock, client, store, changed, put, follower: new ContentFollower(options) };
}

test("every pod that shows an object is told of its change, and reads what it is now", async () => {
  const { changed, clock, follower, put, store } = world();
  await put({ color: "blue" });
  follower.follow(pod("one"));
  follower.follow(pod("two"));
  await clock.advance(10);
  changed.length = 0;
  await put({ color: "green" });
  assert.deepEqual(changed, ["one", "two"]);
  assert.deepEqual((await store.configMap("default", "settings")).data, { color: "green" });
  follower.stop();
});

test("an object that is not there is missing until it comes", async () => {
  const { changed, clock, client, follower, put, store } = world();
  follower.follow(pod("one"));
  await clock.advance(10);
  await assert.rejects(store.configMap("default", "settings"), isNotFound);
  await put({ color: "blue" });
  assert.equal((await store.configMap("default", "settings")).data?.["color"], "blue");
  await client.delete(resources.configmaps, "settings", { namespace: "default" });
  await clock.advance(10);
  await assert.rejects(store.configMap("default", "settings"), isNotFound);
  assert.equal(changed.at(-1), "one");
  follower.stop();
});

test("what no pod shows any more, or what cannot change, is not followed", async () => {
  const { changed, clock, follower, put } = world();
  await put({ color: "blue" });
  follower.follow(pod("one"));
  await clock.advance(10);
  follower.unfollow("one");
  changed.length = 0;
  await put({ color: "green" });
  assert.deepEqual(changed, []);
  await put({ color: "green" }, { immutable: true });
  follower.follow(pod("two"));
  await clock.advance(10);
  changed.length = 0;
  await put({ color: "red" });
  assert.deepEqual(changed, []);
  follower.stop();
});
