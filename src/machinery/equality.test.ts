import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { deepEqual } from "./equality.ts";

test("an undefined member counts as absent", () => {
  assert.equal(deepEqual({ a: 1, b: undefined }, { a: 1 }), true);
  assert.equal(deepEqual({ a: 1 }, { a: 1, b: undefined }), true);
  assert.equal(deepEqual({ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 2, d: undefined }] } }), true);
});

test("null, empty and absent differ", () => {
  assert.equal(deepEqual({ a: null }, {}), false);
  assert.equal(deepEqual({ a: [] }, {}), false);
  assert.equal(deepEqual([], {}), false);
  assert.equal(deepEqual(null, undefined), false);
});

test("agrees with strict equality on JSON values", () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value).replaceAll("__proto__", "p")) as unknown);
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.equal(deepEqual(a, JSON.parse(JSON.stringify(a))), true);
      assert.equal(deepEqual([a], [b]), isDeepStrictEqual([a], [b]));
    }),
    { numRuns: 100 },
  );
});
