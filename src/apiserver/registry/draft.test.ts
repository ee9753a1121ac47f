import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyJson, deepEqual } from "../../machinery/index.ts";
import { type Draft, shareUnchanged } from "./draft.ts";

const draft = (rest: Record<string, unknown>): Draft => ({ apiVersion: "v1", kind: "Thing", metadata: { name: "a" }, ...rest });
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, fc.nat(1), fc.constant(null), fc.array(tie("any"), { maxLength: 3 }), tie("object")),
  object: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("any"), { noNullPrototype: true }),
})).any;

/** Whether no part of `value` is a copy of what stands in the same place of `old`. */
function sharesAll(value: unknown, old: unknown): boolean {
  if (deepEqual(value, old)) return value === old;
  if (typeof value !== "object" || typeof old !== "object" || value === null || old === null) return true;
  if (Array.isArray(value) !== Array.isArray(old)) return true;
  return Object.entries(value).every(([name, part]) => sharesAll(part, (old as Record<string, unknown>)[name]));
}

test("what two objects have alike they share, and neither is changed", () => {
  fc.assert(
    fc.property(value, value, (spec, oldSpec) => {
      const [made, old] = [draft({ spec }), draft({ spec: oldSpec })];
      const before = [copyJson(made), copyJson(old)];
      shareUnchanged(made, old);
      assert.deepEqual([made, old], before);
      assert.ok(sharesAll(made["spec"], old["spec"]));
    }),
    { numRuns: 1000 },
  );
});

test("an object without one member of another is not that one, and shares the others with it", () => {
  const old = draft({ spec: { a: { x: 1 }, b: { y: [1] } } });
  const made = draft({ spec: { b: { y: [1] } } });
  shareUnchanged(made, old);
  assert.deepEqual(made, draft({ spec: { b: { y: [1] } } }));
  assert.equal((made["spec"] as { b: object }).b, (old["spec"] as { b: object }).b);
});
