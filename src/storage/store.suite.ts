// What every store must do, whatever it is made of.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Store, StoreEvent } from "./store.ts";

export interface StoreFixture {
  readonly store: Store;
  /** How long a key with a time to live is given in the test of it. */
  readonly lifetimeSeconds: number;
  /** Lets so much of the store's time go by. */
  pass(durationMs: number): Promise<void>;
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : Buffer.from(value).toString());

/** Takes `count` events off a watch, then ends it. */
async function take(store: Store, prefix: string, afterRevision: number | undefined, count: number): Promise<StoreEvent[]> {
  const abort = new AbortController();
  const events: StoreEvent[] = [];
  const options = afterRevision === undefined ? { signal: abort.signal } : { afterRevision, signal: abort.signal };
  for await (const batch of store.watch(prefix, options)) {
    events.push(...batch);
    if (events.length >= count) abort.abort();
  }
  return events;
}

const summary = (event: StoreEvent): string =>
  event.type === "put" ? `put ${event.entry.key}=${text(event.entry.value)}` : `delete ${event.key}`;

export function storeSuite(name: string, make: () => Promise<StoreFixture>): void {
  const test = (title: string, body: (fixture: StoreFixture) => Promise<void>): void => {
    it(title, async () => {
      const fixture = await make();
      try {
        await body(fixture);
      } finally {
        await fixture.dispose();
      }
    });
  };

  describe(name, () => {
    test("creates a key once", async ({ store }) => {
      const entry = await store.create("/a", bytes("1"));
      assert.equal(entry.createRevision, entry.modRevision);
      assert.equal(text((await store.get("/a"))?.value), "1");
      await assert.rejects(store.create("/a", bytes("2")), { code: "KEY_EXISTS" });
      assert.equal(text((await store.get("/a"))?.value), "1");
    });

    test("raises the revision by one for each write, and for nothing else", async ({ store }) => {
      const start = await store.currentRevision();
      const first = await store.create("/a", bytes("1"));
      await store.get("/a");
      await assert.rejects(store.update("/a", bytes("x"), 999));
      const second = await store.update("/a", bytes("2"), first.modRevision);
      const deleted = await store.delete("/a", second.modRevision);
      assert.deepEqual([first.modRevision, second.modRevision, deleted], [start + 1, start + 2, start + 3]);
      assert.equal(second.createRevision, first.createRevision);
      assert.equal(await store.currentRevision(), start + 3);
    });

    test("refuses updates and deletions at another revision and says what is there", async ({ store }) => {
      const first = await store.create("/a", bytes("1"));
      const second = await store.update("/a", bytes("2"), first.modRevision);
      const isConflict = (error: { code: string; current: { modRevision: number } }) =>
        error.code === "REVISION_CONFLICT" && error.current.modRevision === second.modRevision;
      await assert.rejects(store.update("/a", bytes("3"), first.modRevision), isConflict);
      await assert.rejects(store.delete("/a", first.modRevision), isConflict);
      await assert.rejects(store.update("/none", bytes("3"), 1), { code: "REVISION_CONFLICT", current: undefined });
    });

    test("lets exactly one of many writers at the same revision win", async ({ store }) => {
      const first = await store.create("/a", bytes("0"));
      const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.update("/a", bytes(`${i}`), first.modRevision)));
      assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
      const creations = await Promise.allSettled(Array.from({ length: 20 }, () => store.create("/b", bytes("x"))));
      assert.equal(creations.filter((result) => result.status === "fulfilled").length, 1);
    });

    test("answers ranges in order, with limit and continuation", async ({ store }) => {
      for (const key of ["/p/c", "/p/a", "/q/x", "/p/b", "/o/z"]) await store.create(key, bytes(key));
      const all = await store.range("/p/");
      assert.deepEqual(
        all.entries.map((entry) => entry.key),
        ["/p/a", "/p/b", "/p/c"],
      );
      assert.equal(all.hasMore, false);
      const page = await store.range("/p/", { limit: 2 });
      assert.deepEqual([page.entries.map((entry) => entry.key), page.hasMore, page.remaining], [["/p/a", "/p/b"], true, 1]);
      const rest = await store.range("/p/", { limit: 2, after: "/p/b", revision: page.revision });
      assert.deepEqual([rest.entries.map((entry) => entry.key), rest.hasMore, rest.remaining], [["/p/c"], false, 0]);
    });

    test("answers a range as of an older revision until that is compacted", async ({ store }) => {
      const a = await store.create("/p/a", bytes("a1"));
      const b = await store.create("/p/b", bytes("b1"));
      await store.update("/p/a", bytes("a2"), a.modRevision);
      await store.delete("/p/b", b.modRevision);
      await store.create("/p/c", bytes("c1"));
      const old = await store.range("/p/", { revision: b.modRevision });
      assert.deepEqual(
        old.entries.map((entry) => text(entry.value)),
        ["a1", "b1"],
      );
      assert.equal(old.revision, b.modRevision);
      await store.compact(await store.currentRevision());
      await assert.rejects(store.range("/p/", { revision: b.modRevision }), { code: "COMPACTED" });
      assert.deepEqual(
        (await store.range("/p/")).entries.map((entry) => text(entry.value)),
        ["a2", "c1"],
      );
      await assert.rejects(store.range("/p/", { revision: (await store.currentRevision()) + 10 }), { code: "FUTURE_REVISION" });
    });

    test("watches a prefix from a revision, in order and without gaps", async ({ store }) => {
      const a = await store.create("/p/a", bytes("1"));
      const watched = take(store, "/p/", a.modRevision, 3);
      const second = await store.update("/p/a", bytes("2"), a.modRevision);
      await store.create("/q/other", bytes("x"));
      await store.delete("/p/a", second.modRevision);
      await store.create("/p/b", bytes("3"));
      const events = await watched;
      assert.deepEqual(events.map(summary), ["put /p/a=2", "delete /p/a", "put /p/b=3"]);
      assert.deepEqual(
        events.map((event) => text(event.previous?.value)),
        ["1", "2", undefined],
      );
      assert.deepEqual((await take(store, "/p/", a.modRevision - 1, 4)).map(summary), [
        "put /p/a=1",
        "put /p/a=2",
        "delete /p/a",
        "put /p/b=3",
      ]);
    });

    test("shows a write to watchers no later than to its writer", async ({ store }) => {
      const abort = new AbortController();
      const iterator = store.watch("/", { signal: abort.signal })[Symbol.asyncIterator]();
      const next = iterator.next();
      const entry = await store.create("/a", bytes("1"));
      const { value } = await next;
      assert.deepEqual(value?.map(summary), ["put /a=1"]);
      assert.equal(text((await store.get("/a"))?.value), "1");
      assert.equal(await store.currentRevision(), entry.modRevision);
      abort.abort();
    });

    test("ends a watch from compacted history with an error, and an aborted one quietly", async ({ store }) => {
      const a = await store.create("/a", bytes("1"));
      await store.update("/a", bytes("2"), a.modRevision);
      await store.compact(await store.currentRevision());
      await assert.rejects(take(store, "/", a.modRevision - 1, 1), { code: "COMPACTED" });
      const abort = new AbortController();
      setImmediate(() => abort.abort());
      for await (const _ of store.watch("/", { signal: abort.signal })) assert.fail("no event was expected");
    });

    test("deletes a key when its time to live is over, with an event", async ({ store, lifetimeSeconds: ttlSeconds, pass }) => {
      const entry = await store.create("/e/a", bytes("1"), { ttlSeconds });
      await store.create("/e/b", bytes("2"), { ttlSeconds });
      const watched = take(store, "/e/", entry.modRevision + 1, 2);
      await pass(ttlSeconds * 500);
      assert.notEqual(await store.get("/e/a"), undefined);
      await store.update("/e/a", bytes("3"), entry.modRevision, { ttlSeconds: 3600 });
      await pass(ttlSeconds * 1_000);
      assert.deepEqual((await watched).map(summary), ["put /e/a=3", "delete /e/b"]);
      assert.equal(text((await store.get("/e/a"))?.value), "3");
    });

    test("rejects calls after it is closed", async ({ store }) => {
      await store.create("/a", bytes("1"));
      await store.close();
      await assert.rejects(async () => store.get("/a"), { code: "STORE_CLOSED" });
      await assert.rejects(async () => store.create("/b", bytes("1")), { code: "STORE_CLOSED" });
    });
  });
}
