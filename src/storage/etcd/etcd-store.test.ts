import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { storeSuite } from "../store.suite.ts";
import { EtcdCluster, hasEtcd } from "./etcd.fixture.ts";
import type { EtcdStore } from "./etcd-store.ts";

const text = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString();

describe("etcd", { skip: hasEtcd ? false : "there is no etcd on this machine" }, () => {
  let etcd: EtcdCluster;
  before(async () => {
    etcd = await EtcdCluster.start();
  });
  after(() => etcd[Symbol.asyncDispose]());

  storeSuite("EtcdStore", async () => {
    const store = await etcd.open();
    return { store, lifetimeSeconds: 2, pass: sleep, dispose: () => store.close() };
  });

  it("answers more entries than come on a page, as of one revision", async () => {
    const store = await etcd.open();
    for (let i = 0; i < 1100; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, k) => store.create(`/p/${String(i + k).padStart(4, "0")}`, Buffer.from("x"))));
    }
    const all = await store.range("/p/");
    assert.deepEqual([all.entries.length, all.entries[0]?.key, all.entries.at(-1)?.key], [1100, "/p/0000", "/p/1099"]);
    const page = await store.range("/p/", { limit: 600, after: "/p/0099" });
    assert.deepEqual([page.entries.length, page.entries[0]?.key, page.hasMore, page.remaining], [600, "/p/0100", true, 400]);
    await store.close();
  });

  it("shows two servers one history, whoever wrote", async () => {
    const [one, two] = [await etcd.open("/shared"), await etcd.open("/shared")];
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const batch of two.watch("/", { signal: abort.signal })) {
        for (const event of batch)
          seen.push(event.type === "put" ? `put ${text(event.entry.value)}` : `delete ${text(event.previous.value)}`);
        if (seen.length === 4) abort.abort();
      }
    })();
    const a = await one.create("/a", Buffer.from("1"));
    await two.create("/b", Buffer.from("2"));
    const updated = await two.update("/a", Buffer.from("3"), a.modRevision);
    await assert.rejects(one.update("/a", Buffer.from("4"), a.modRevision), { code: "REVISION_CONFLICT" });
    assert.equal(await one.currentRevision(), updated.modRevision);
    await one.delete("/a", updated.modRevision);
    await watching;
    assert.deepEqual(seen, ["put 1", "put 2", "put 3", "delete 3"]);
    await Promise.all([one.close(), two.close()]);
  });

  it("is not held up by what others write into the same etcd", async () => {
    const [ours, others] = [await etcd.open("/ours"), await etcd.open("/others")];
    const mine = await ours.create("/a", Buffer.from("1"));
    for (let i = 0; i < 5; i++) await others.create(`/${i}`, Buffer.from("x"));
    assert.equal(await ours.currentRevision(), mine.modRevision);
    assert.deepEqual((await ours.range("/")).revision, mine.modRevision);
    await Promise.all([ours.close(), others.close()]);
  });

  it("hands watchers the very bytes that were written here", async () => {
    const store = await etcd.open();
    const abort = new AbortController();
    const next = store.watch("/", { signal: abort.signal })[Symbol.asyncIterator]().next();
    const value = Buffer.from("1");
    await store.create("/a", value);
    const [event] = (await next).value ?? [];
    assert.equal(event?.type === "put" && event.entry.value, value);
    abort.abort();
    await store.close();
  });
});

describe("an etcd of three members", { skip: hasEtcd ? false : "there is no etcd on this machine" }, () => {
  it("loses no acknowledged write and no event while members are killed under load", async () => {
    await using etcd = await EtcdCluster.start(3);
    const store = await etcd.open();
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = collect(store, seen, abort.signal);
    const acknowledged: string[] = [];
    /** Written or not: no answer came. */
    const unknown: string[] = [];
    let isOver = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; !isOver; i++) {
        const key = `/w${writer}/${String(i).padStart(5, "0")}`;
        const isWritten = await store.create(key, Buffer.from(key)).then(
          () => true,
          (error: { code?: string }) => {
            assert.equal(error.code, "STORE_UNAVAILABLE");
            return false;
          },
        );
        (isWritten ? acknowledged : unknown).push(key);
      }
    });
    for (const member of [0, 1, 2]) {
      await sleep(300);
      await etcd.killMember(member);
      await sleep(500);
      etcd.startMember(member);
      await etcd.healthy();
    }
    isOver = true;
    await Promise.all(writers);
    const stored = (await store.range("/")).entries.map(({ key }) => key);
    assert.deepEqual(
      stored.filter((key) => !unknown.includes(key)),
      [...acknowledged].sort(),
    );
    await store.currentRevision();
    for (let tried = 0; seen.length < stored.length && tried < 500; tried++) await sleep(20);
    abort.abort();
    await watching;
    assert.deepEqual([...seen].sort(), stored);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(acknowledged.length > 20, `only ${acknowledged.length} writes`);
    await store.close();
  });
});

async function collect(store: EtcdStore, seen: string[], signal: AbortSignal): Promise<void> {
  for await (const batch of store.watch("/", { signal })) for (const event of batch) if (event.type === "put") seen.push(event.entry.key);
}
