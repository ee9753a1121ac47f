import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SortedMap } from "./sorted-map.ts";

const key = fc
  .tuple(fc.constantFrom("/a/", "/b/", "/b/c/"), fc.integer({ min: 0, max: 2000 }))
  .map(([prefix, number]) => `${prefix}${number}`);

test("keys are in order and counted whatever was set and deleted", () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 1000, maxLength: 3000 }), fc.array(key), key, (set, deleted, after) => {
      const map = new SortedMap<string>();
      for (const each of set) map.set(each, each);
      for (const each of deleted) map.delete(each);
      const gone = new Set(deleted);
      const left = [...new Set(set)].filter((each) => !gone.has(each)).sort();
      for (const prefix of ["", "/a/", "/b/", "/b/c/", "/none/", after]) {
        for (const behind of [undefined, prefix + after, after]) {
          const expected = left.filter((each) => each.startsWith(prefix) && (behind === undefined || each > behind));
          if (behind !== undefined && !behind.startsWith(prefix)) continue;
          assert.deepEqual(
            [...map.entries(prefix, behind)].map(([each]) => each),
            expected,
          );
          assert.equal(map.count(prefix, behind), expected.length);
        }
      }
    }),
    { numRuns: 20 },
  );
});
