import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { MemoryStore } from "../../storage/index.ts";
import { copyAll } from "./migrate.ts";

test("everything is copied as it is, and events still end", async () => {
  const clock = new VirtualClock();
  const [source, target] = [new MemoryStore({ clock }), new MemoryStore({ clock })];
  for (let i = 0; i < 1_234; i++) await source.create(`/registry/core/configmaps/a/${i}`, Buffer.from(`value ${i}`));
  await source.create("/registry/core/events/a/e", Buffer.from("event"), { ttlSeconds: 60 });
  assert.equal(await copyAll(source, target), 1_235);
  const values = async (store: MemoryStore) =>
    (await store.range("/")).entries.map(({ key, value }) => [key, Buffer.from(value).toString()]);
  assert.deepEqual(await values(target), await values(source));
  await clock.advance(3_700_000);
  assert.equal(await target.get("/registry/core/events/a/e"), undefined);
  assert.notEqual(await target.get("/registry/core/configmaps/a/7"), undefined);
});
