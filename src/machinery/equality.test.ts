import assert from "node:assert/strict";
import { test } from "node:test";
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

test("agrees with the equality of sorted JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      assert.equal(deepEqual(a, JSON.parse(JSON.stringify(a))), true);
      assert.equal(deepEqual(a, b), sorted(a) === sorted(b));
    }),
    { numRuns: 200 },
  );
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1))
      : inner,
  );
}
