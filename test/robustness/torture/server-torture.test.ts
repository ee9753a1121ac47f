import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasEtcd } from "../../../src/storage/etcd/etcd.fixture.ts";
import { tortureServer } from "./server-torture.ts";
import { type Change, WatchedMaps } from "./watched-maps.ts";

describe("a server that is killed under load", () => {
  it("keeps what it has promised, and its watchers miss nothing", async () => assert.deepEqual(await tortureServer(1, "lmdb"), []));

  it("does so on an etcd that is killed too", { skip: hasEtcd ? false : "etcd is not installed" }, async () =>
    assert.deepEqual(await tortureServer(1, "etcd"), []),
  );
});

describe("the judge of a watcher", () => {
  const map = (revision: number, value: string | undefined = "x") => ({ name: "a", revision, value });
  const told = (...changes: readonly [Change, number][]) => {
    const watched = new WatchedMaps();
    watched.listed(2, [map(2)]);
    for (const [change, revision] of changes) watched.changed(change, map(revision));
    return watched;
  };

  it("notes what came twice, out of order, or cannot have been", () => {
    assert.deepEqual(told(["MODIFIED", 3], ["DELETED", 5], ["ADDED", 6]).problems, []);
    assert.deepEqual(told(["MODIFIED", 3], ["MODIFIED", 3]).problems, ["a at 3 was told after 3"]);
    assert.deepEqual(told(["ADDED", 3]).problems, ["a cannot have been ADDED at 3"]);
    assert.deepEqual(told(["DELETED", 3], ["MODIFIED", 4]).problems, ["a cannot have been MODIFIED at 4"]);
  });

  it("notes half a write and a list that goes back", () => {
    const watched = new WatchedMaps();
    watched.listed(3, [{ ...map(3), value: undefined }]);
    watched.listed(2, []);
    assert.deepEqual(watched.problems, ["a at 3 is half written", "a list went back from 3 to 2"]);
  });

  it("finds promised writes that were left out, but only where a watch was open", () => {
    const promised = (revision: number, value = "x") => ({ what: "promised" as const, key: "a", revision, value });
    const watched = told(["MODIFIED", 4]);
    assert.deepEqual(watched.leftOut([promised(2), promised(4), promised(5)]), []);
    assert.deepEqual(watched.leftOut([promised(3), promised(4, "y")]), [
      "the watcher was not told of a at 3",
      "the watcher was not told of a at 4",
    ]);
    assert.equal(watched.agreesWith([map(4)]), true);
    assert.equal(watched.agreesWith([map(2)]), false);
  });
});
