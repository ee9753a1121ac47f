import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Happening, problemsOf } from "./happening.ts";
import { torture } from "./torture.ts";

const SEEDS = 8;

describe("a store whose process is killed", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`keeps what it has told: seed ${seed}`, async () => assert.deepEqual(await torture(seed), []));
  }
});

describe("the judge", () => {
  const entry = (modRevision: number, value: string) => ({ key: "/a", value: Buffer.from(value), createRevision: 2, modRevision });
  const told = (what: Happening["what"], revision: number, value: string | null = "x"): Happening => ({ what, key: "/a", revision, value });

  it("finds a lost write, a gap in the events, a deletion undone and a value from nowhere", () => {
    assert.deepEqual(problemsOf([told("promised", 2)], { before: 1, revision: 2, entries: [] }), ["/a at 2 is lost"]);
    assert.deepEqual(problemsOf([told("seen", 3)], { before: 1, revision: 3, entries: [entry(3, "x")] }), [
      "the watcher saw 3 instead of 2",
    ]);
    assert.deepEqual(problemsOf([told("begun", 0), told("promised", 3, null)], { before: 1, revision: 3, entries: [entry(2, "x")] }), [
      "/a, deleted at 3, is back",
    ]);
    assert.deepEqual(problemsOf([], { before: 1, revision: 2, entries: [entry(2, "y")] }), ["nobody wrote /a as it is at 2"]);
  });

  it("knows that a deletion which nobody was told of may have been done", () => {
    const happenings = [told("begun", 0), told("promised", 2), told("begun", 0, null)];
    assert.deepEqual(problemsOf(happenings, { before: 1, revision: 3, entries: [] }), []);
    assert.deepEqual(problemsOf(happenings, { before: 1, revision: 2, entries: [] }), ["/a at 2 is lost"]);
  });
});
