import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../src/base/index.ts";
import { type Happening, problemsOf } from "./happening.ts";
import { afterFailure, powerLoss, record } from "./power-loss.ts";
import { tortureSnapshot } from "./snapshot-torture.ts";
import { hasStrace } from "./strace.ts";
import { torture } from "./torture.ts";

const SEEDS = 3;
const skip = hasStrace ? false : "strace is not installed";

describe("a store whose process is killed", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`keeps what it has told: seed ${seed}`, async () => assert.deepEqual(await torture(seed, "lines"), []));
    it(`keeps what it has told, also in the midst of a commit: seed ${seed}`, { skip }, async () =>
      assert.deepEqual(await torture(seed, "calls"), []),
    );
  }
});

describe("a store whose power fails", { skip }, () => {
  it("keeps what it has told, whatever of the rest is on the disk", async () =>
    assert.deepEqual(await powerLoss({ seed: 1, moments: 100 }), []));

  it("would lose it if it did not wait for the disk", async () => {
    const steps = await record(1, 100);
    const unsynced = steps.flatMap((step) => {
      if (step.call.name === "sync") return [];
      return step.call.name === "tell"
        ? [step]
        : [{ ...step, call: { name: "write" as const, write: { ...step.call.write, isSynchronous: false } } }];
    });
    assert.deepEqual(await afterFailure(steps, "none", new SeededRandom(1)), []);
    assert.match((await afterFailure(unsynced, "none", new SeededRandom(1))).join(), /is lost/);
  });
});

it("a snapshot that is cut off while it is saved or restored harms nothing and can be repeated", { skip }, () => tortureSnapshot(1));

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

  it("finds a revision that is given although a later one was promised", () => {
    const happenings = [told("promised", 5, "y"), told("begun", 0), told("promised", 4)];
    assert.deepEqual(problemsOf(happenings, { before: 1, revision: 5, entries: [entry(5, "y")] }), [
      "/a was promised at 4 when 5 had been promised before",
    ]);
  });

  it("knows that a deletion which nobody was told of may have been done", () => {
    const happenings = [told("begun", 0), told("promised", 2), told("begun", 0, null)];
    assert.deepEqual(problemsOf(happenings, { before: 1, revision: 3, entries: [] }), []);
    assert.deepEqual(problemsOf(happenings, { before: 1, revision: 2, entries: [] }), ["/a at 2 is lost"]);
  });
});
