import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoredWatchEvent, WatchOptions } from "../../api/index.ts";
import { isExpired, StatusError } from "../../machinery/index.ts";
import { CoreFixture, configMap, describeEvents } from "./testing/core-fixture.ts";

const names = (items: readonly { object: { metadata: { name?: string | undefined } } }[]) => items.map((item) => item.object.metadata.name);

/** Collects what a watch sends until it is aborted. */
async function collect(server: CoreFixture, options: WatchOptions, namespace = "default") {
  const abort = new AbortController();
  const events: StoredWatchEvent[] = [];
  const batches = await server.core.watch(server.scope("configmaps", { namespace, signal: abort.signal }), options);
  const done = (async () => {
    for await (const batch of batches) events.push(...batch);
  })();
  return { events, stop: () => abort.abort(), done, settle: () => server.clock.advance(0) };
}

describe("list", () => {
  it("tells a namespace or all, in order of keys, with the revision", async () => {
    await using server = await CoreFixture.start();
    for (const name of ["b", "a"]) await server.create("configmaps", configMap(name));
    await server.create("configmaps", configMap("c"), { namespace: "kube-system" });
    const one = await server.core.list(server.scope("configmaps"), {});
    const all = await server.core.list(server.scope("configmaps", { namespace: "" }), {});
    assert.deepEqual(names(one.items), ["a", "b"]);
    assert.deepEqual(
      names(all.items).filter((name) => name?.length === 1),
      ["a", "b", "c"],
    );
    assert.equal(one.resourceVersion, all.resourceVersion);
  });

  it("pages through the state of the first page, whatever is written meanwhile", async () => {
    await using server = await CoreFixture.start();
    for (const name of ["a", "b", "c"]) await server.create("configmaps", configMap(name));
    const first = await server.core.list(server.scope("configmaps"), { limit: 2 });
    assert.deepEqual([names(first.items), first.remainingItemCount], [["a", "b"], 1]);
    await server.create("configmaps", configMap("d"));
    await server.delete("configmaps", "c");
    const rest = await server.core.list(server.scope("configmaps"), { limit: 2, continue: first.continue });
    assert.deepEqual([names(rest.items), rest.continue, rest.resourceVersion], [["c"], undefined, first.resourceVersion]);
  });

  it("counts on every page what is left behind it", async () => {
    await using server = await CoreFixture.start();
    for (const name of ["a", "b", "c", "d", "e"]) await server.create("configmaps", configMap(name));
    const pages = [];
    for (let next: string | undefined = ""; next !== undefined; ) {
      const page = await server.core.list(server.scope("configmaps"), { limit: 2, continue: next });
      pages.push([names(page.items).join(""), page.remainingItemCount]);
      next = page.continue;
    }
    assert.deepEqual(pages, [
      ["ab", 3],
      ["cd", 1],
      ["e", undefined],
    ]);
  });

  it("answers 410 with a new token when the page's state is compacted", async () => {
    await using server = await CoreFixture.start();
    for (const name of ["a", "b", "c"]) await server.create("configmaps", configMap(name));
    const first = await server.core.list(server.scope("configmaps"), { limit: 1 });
    await server.delete("configmaps", "c");
    await server.store.compact(await server.store.currentRevision());
    const error = await server.core.list(server.scope("configmaps"), { continue: first.continue }).catch((caught: unknown) => caught);
    assert.ok(isExpired(error) && error instanceof StatusError);
    const rest = await server.core.list(server.scope("configmaps"), { continue: error.status.metadata.continue });
    assert.deepEqual(names(rest.items), ["b"]);
  });

  it("waits three seconds for a revision that has not come, then answers 504", async () => {
    await using server = await CoreFixture.start();
    const answer = server.core.list(server.scope("configmaps"), { resourceVersion: "9999" }).catch((caught: unknown) => caught);
    await server.clock.advance(3000);
    const error = await answer;
    assert.ok(error instanceof StatusError && error.code === 504);
  });

  it("tells the state of an exact revision", async () => {
    await using server = await CoreFixture.start();
    const { object } = await server.create("configmaps", configMap("a"));
    await server.create("configmaps", configMap("b"));
    const { resourceVersion } = object.metadata;
    const old = await server.core.list(server.scope("configmaps"), { resourceVersion, resourceVersionMatch: "Exact" });
    assert.deepEqual(names(old.items), ["a"]);
  });
});

describe("watch", () => {
  it("tells the events after a revision, then those to come", async () => {
    await using server = await CoreFixture.start();
    const { object } = await server.create("configmaps", configMap("a"));
    await server.create("configmaps", configMap("b"));
    const watch = await collect(server, { resourceVersion: object.metadata.resourceVersion });
    await server.update("configmaps", configMap("b", { k: "1" }) as never);
    await server.create("configmaps", configMap("elsewhere"), { namespace: "kube-system" });
    await server.delete("configmaps", "b");
    await watch.settle();
    assert.deepEqual(describeEvents(watch.events), ["ADDED b", "MODIFIED b", "DELETED b"]);
    const last = watch.events.at(-1);
    const newest = String(await server.store.currentRevision());
    assert.equal(last?.type === "DELETED" && last.stored.object.metadata.resourceVersion, newest);
    assert.match(last?.type === "DELETED" ? Buffer.from(last.stored.json).toString() : "", new RegExp(`"resourceVersion":"${newest}"`));
    watch.stop();
    await watch.done;
  });

  it("begins with what is there and marks the end of it", async () => {
    await using server = await CoreFixture.start();
    await server.create("configmaps", configMap("a"));
    const options = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true };
    const watch = await collect(server, options);
    await server.create("configmaps", configMap("b"));
    await watch.settle();
    assert.deepEqual(describeEvents(watch.events), ["ADDED a", "BOOKMARK end", "ADDED b"]);
  });

  it("sends bookmarks with the newest revision, and ends when its time is up", async () => {
    await using server = await CoreFixture.start();
    const watch = await collect(server, { allowWatchBookmarks: true, timeoutSeconds: 90 });
    await server.create("secrets", { metadata: { name: "x" } });
    await server.clock.advance(61_000);
    assert.deepEqual(describeEvents(watch.events), ["BOOKMARK"]);
    const [bookmark] = watch.events;
    assert.equal(bookmark?.type === "BOOKMARK" && bookmark.resourceVersion, String(await server.store.currentRevision()));
    await server.clock.advance(30_000);
    await watch.done;
  });

  it("refuses a revision that does not come within three seconds with 410, so that clients of another store's revisions start over", async () => {
    await using server = await CoreFixture.start();
    const answer = server.core.watch(server.scope("configmaps"), { resourceVersion: "9999" }).catch((caught: unknown) => caught);
    await server.clock.advance(3000);
    assert.ok(isExpired(await answer));
  });

  it("refuses a revision that has fallen out of the window with 410", async () => {
    await using server = await CoreFixture.start({ watchWindow: { capacity: 2 } });
    const { object } = await server.create("configmaps", configMap("a"));
    for (const name of ["b", "c", "d"]) await server.create("configmaps", configMap(name));
    const { resourceVersion } = object.metadata;
    await server.clock.advance(0);
    await assert.rejects(server.core.watch(server.scope("configmaps"), { resourceVersion }), isExpired);
  });

  it("ends a watcher that is too slow with an ERROR event", async () => {
    await using server = await CoreFixture.start({ watchWindow: { capacity: 2 } });
    const revision = String(await server.store.currentRevision());
    const batches = await server.core.watch(server.scope("configmaps"), { resourceVersion: revision });
    for (const name of ["a", "b", "c", "d"]) await server.create("configmaps", configMap(name));
    await server.clock.advance(0);
    const seen: string[] = [];
    for await (const batch of batches) seen.push(...describeEvents(batch));
    assert.deepEqual(seen, ["ERROR 410"]);
  });
});
