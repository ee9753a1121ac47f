import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { storeSuite } from "../store.suite.ts";
import { LmdbStore } from "./lmdb-store.ts";

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), "k8ts-lmdb-"));
  return { path: join(folder, "data.mdb"), remove: () => rm(folder, { recursive: true }) };
}

/** How much of the file at `path` counts as memory of this process. */
function mappedBytes(path: string): number {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const kilobytes = mappings.filter((text) => text.includes(path)).map((text) => Number(/^Rss: +(\d+) kB$/m.exec(text)?.[1]));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

storeSuite("LmdbStore", async () => {
  const { path, remove } = await makeFolder();
  const clock = new VirtualClock();
  const store = new LmdbStore({ path, clock });
  return {
    store,
    lifetimeSeconds: 60,
    pass: (durationMs) => clock.advance(durationMs),
    dispose: async () => {
      await store.close();
      await remove();
    },
  };
});

describe("LmdbStore on disk", () => {
  it("keeps entries, revision and expiries over a restart", async () => {
    const { path, remove } = await makeFolder();
    const clock = new VirtualClock();
    const first = new LmdbStore({ path, clock });
    const a = await first.create("/a", Buffer.from("1"));
    await first.create("/gone", Buffer.from("2"), { ttlSeconds: 60 });
    const revision = await first.currentRevision();
    await first.close();
    await clock.advance(61_000);

    const second = new LmdbStore({ path, clock });
    assert.equal(await second.currentRevision(), revision);
    assert.deepEqual(Buffer.from((await second.get("/a"))?.value ?? []).toString(), "1");
    assert.equal((await second.update("/a", Buffer.from("3"), a.modRevision)).createRevision, a.createRevision);
    await clock.advance(2_000);
    await second.create("/after", Buffer.from("4"));
    assert.equal(await second.get("/gone"), undefined);
    await second.close();
    await remove();
  });

  it("answers many keys in order behind a limit, and counts the rest", async () => {
    const { path, remove } = await makeFolder();
    const store = new LmdbStore({ path, clock: new VirtualClock() });
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.create(`/p/${String(i).padStart(3, "0")}`, Buffer.from("x"))));
    const page = await store.range("/p/", { limit: 100, after: "/p/099" });
    assert.deepEqual([page.entries[0]?.key, page.entries.at(-1)?.key, page.remaining], ["/p/100", "/p/199", 300]);
    await store.close();
    await remove();
  });

  it("does not hold on to the pages of a long read, and goes on as before", async () => {
    const { path, remove } = await makeFolder();
    const clock = new VirtualClock();
    const first = new LmdbStore({ path, clock });
    const value = Buffer.alloc(2 ** 20, "x");
    await Promise.all(Array.from({ length: 40 }, (_, i) => first.create(`/p/${i}`, value)));
    await first.close();

    const second = new LmdbStore({ path, clock });
    const { entries } = await second.range("/p/");
    assert.equal(entries.length, 40);
    assert.ok(mappedBytes(path) < 20 * 2 ** 20, `${mappedBytes(path)} bytes of the file are mapped`);
    const [entry] = entries;
    assert.ok(entry !== undefined);
    const updated = await second.update(entry.key, Buffer.from("1"), entry.modRevision);
    assert.equal((await second.range("/p/")).entries[0]?.modRevision, updated.modRevision);
    await second.close();

    const third = new LmdbStore({ path, clock });
    assert.deepEqual(await third.get(entry.key), updated);
    await third.close();
    await remove();
  });

  it("has every acknowledged write after the process was killed", async () => {
    const { path, remove } = await makeFolder();
    const child = spawn(process.execPath, [join(import.meta.dirname, "testdata/writer.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let acknowledged = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      acknowledged += chunk;
      if (acknowledged.length > 2000) child.kill("SIGKILL");
    });
    await once(child, "close");
    const keys = acknowledged.slice(0, acknowledged.lastIndexOf("\n")).split("\n");
    assert.ok(keys.length > 100);
    const store = new LmdbStore({ path, clock: new VirtualClock() });
    for (const key of keys) assert.notEqual(await store.get(key), undefined, `${key} was acknowledged`);
    await store.close();
    await remove();
  });
});
