import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { feasibleNodesToFind, RoundWalk } from "./node-sample.ts";

describe("feasibleNodesToFind", () => {
  it("is all nodes of a small cluster, and upstream's share of a larger one", () => {
    const found = [10, 99, 100, 1000, 5000, 6000, 15_000].map((nodes) => feasibleNodesToFind(nodes, 0));
    assert.deepEqual(found, [10, 99, 100, 420, 500, 300, 750]);
  });

  it("follows the configured percentage, but for at least a hundred nodes", () => {
    assert.equal(feasibleNodesToFind(1000, 70), 700);
    assert.equal(feasibleNodesToFind(1000, 5), 100);
    assert.equal(feasibleNodesToFind(1000, 100), 1000);
  });
});

describe("RoundWalk", () => {
  it("visits each place once in a round, whatever the size", () => {
    const walk = new RoundWalk();
    for (const size of [1, 2, 3, 8, 100, 5000]) {
      walk.resize(size);
      const places = Array.from({ length: size }, () => walk.next());
      assert.equal(new Set(places).size, size);
      assert.ok(places.every((place) => place >= 0 && place < size));
    }
  });

  it("visits all parts alike within a part of the round", () => {
    const walk = new RoundWalk();
    walk.resize(3000);
    const thirds = [0, 0, 0];
    for (let step = 0; step < 300; step++) {
      const third = Math.floor(walk.next() / 1000);
      thirds[third] = (thirds[third] ?? 0) + 1;
    }
    assert.ok(thirds.every((count) => count > 90 && count < 110));
  });

  it("goes on where it was while the size stays", () => {
    const walk = new RoundWalk();
    walk.resize(7);
    const first = walk.next();
    walk.resize(7);
    assert.notEqual(walk.next(), first);
  });
});
