import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { CompactedError, MemoryStore, type StoreEvent, type WatchOptions } from "../../storage/index.ts";
import { WatchCache } from "./watch-cache.ts";

const PREFIX = "/registry/core/configmaps/";
const value = (name: string, data: string) =>
  Buffer.from(JSON.stringify({ kind: "ConfigMap", apiVersion: "v1", metadata: { name }, data }));

/** Its first watch is cut off when the history it would go on from has been given up. */
class ForgetfulStore extends MemoryStore {
  #isFirst = true;
  readonly cut = new AbortController();

  override async *watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]> {
    if (!this.#isFirst) yield* super.watch(prefix, options);
    this.#isFirst = false;
    await new Promise<void>((resolve) => this.cut.signal.addEventListener("abort", () => resolve()));
    throw new CompactedError(1, await this.currentRevision());
  }
}

test("a cache that missed events tells of everything that changed meanwhile, each object once", async () => {
  const clock = new VirtualClock();
  const store = new ForgetfulStore({ clock });
  const kept = await store.create(`${PREFIX}a/kept`, value("kept", "1"));
  const changed = await store.create(`${PREFIX}a/changed`, value("changed", "1"));
  const gone = await store.create(`${PREFIX}a/gone`, value("gone", "1"));
  const cache = new WatchCache({ store, clock, logger: silentLogger });
  const abort = new AbortController();
  await cache.start(abort.signal);
  const told: string[] = [];
  cache
    .of(PREFIX)
    .listen(({ key, current }) =>
      told.push(`${key.slice(PREFIX.length)} ${current === undefined ? "gone" : current.object.metadata.name}`),
    );

  const second = await store.update(changed.key, value("changed", "2"), changed.modRevision);
  await store.update(changed.key, value("changed", "3"), second.modRevision);
  await store.delete(gone.key, gone.modRevision);
  const added = await store.create(`${PREFIX}a/new`, value("new", "1"));
  store.cut.abort();
  await clock.advance(1_000);
  assert.deepEqual(told, ["a/gone gone", "a/changed changed", "a/new new"]);
  assert.equal(cache.of(PREFIX).get(kept.key)?.revision, kept.modRevision);
  assert.equal(cache.appliedRevision, added.modRevision);

  await store.create(`${PREFIX}a/later`, value("later", "1"));
  await clock.advance(1);
  assert.equal(told.at(-1), "a/later later");
  abort.abort();
  await store.close();
});
