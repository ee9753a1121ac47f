import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IndexSet } from "./index-set.ts";

const indexes = fc.array(fc.integer({ min: 0, max: 40 }));

describe("a set of completion indexes", () => {
  it("is written as intervals, pairs with a comma", () => {
    assert.equal(IndexSet.of([7, 1, 3, 4, 5, 9, 10]).toString(), "1,3-5,7,9,10");
    assert.equal(IndexSet.empty.toString(), "");
  });

  it("leaves out what is beyond the completions, and what cannot be read", () => {
    assert.equal(IndexSet.parse("1,3-9,x,12", 6).toString(), "1,3-5");
    assert.equal(IndexSet.parse(undefined, 6).size, 0);
  });

  it("behaves as a plain set does", () => {
    fc.assert(
      fc.property(indexes, indexes, fc.integer({ min: 0, max: 10 }), (a, b, count) => {
        const set = IndexSet.of(a);
        const other = IndexSet.of(b);
        const both = new Set([...a, ...b]);
        assert.equal(set.union(other).size, both.size);
        assert.equal(set.intersectionSize(other), [...new Set(a)].filter((index) => b.includes(index)).length);
        assert.equal(IndexSet.parse(set.toString(), 41).toString(), set.toString());
        const missing = Array.from({ length: 41 }, (_, i) => i).filter((index) => !a.includes(index));
        assert.deepEqual(set.firstMissing(count, 41), missing.slice(0, count));
        assert.ok(a.every((index) => set.has(index)));
      }),
    );
  });
});
