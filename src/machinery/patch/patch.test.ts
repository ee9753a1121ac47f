import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepFreeze } from "../meta/object.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";

test("the six operations of a JSON patch do not change the original", () => {
  const original = deepFreeze({ a: [1, 2], b: { c: 1, "d/e": 2 }, f: { g: 1 } });
  const result = applyJsonPatch(original, [
    { op: "test", path: "/b/d~1e", value: 2 },
    { op: "add", path: "/a/1", value: 9 },
    { op: "add", path: "/a/-", value: 3 },
    { op: "remove", path: "/b/c" },
    { op: "replace", path: "/b/d~1e", value: null },
    { op: "copy", from: "/a", path: "/h" },
    { op: "move", from: "/a/0", path: "/i" },
  ]) as Record<string, unknown>;
  assert.deepEqual(result, { a: [9, 2, 3], b: { "d/e": null }, f: { g: 1 }, h: [1, 9, 2, 3], i: 1 });
  assert.equal(result["f"], original.f);
});

test("a JSON patch that does not apply says so in upstream's words", () => {
  const document = { a: { b: 1 }, l: [1] };
  const cases: [unknown, string][] = [
    [{ op: "replace", path: "/a/x", value: 1 }, "replace operation does not apply: doc is missing key: /a/x: missing value"],
    [{ op: "replace", path: "/x/y", value: 1 }, "replace operation does not apply: doc is missing path: /x/y: missing value"],
    [{ op: "add", path: "/x/y", value: 1 }, 'add operation does not apply: doc is missing path: "/x/y": missing value'],
    [{ op: "remove", path: "/a/x" }, "error in remove for path: '/a/x': Unable to remove nonexistent key: x: missing value"],
    [{ op: "test", path: "/a/b", value: 2 }, "testing value /a/b failed: test failed"],
    [{ op: "add", path: "/l/5", value: 1 }, "error in add for path: '/l/5': Unable to access invalid index: 5: invalid index referenced"],
    [{ op: "jump", path: "/a" }, "Unexpected kind: jump"],
  ];
  for (const [operation, message] of cases) assert.throws(() => applyJsonPatch(document, [operation]), { message });
  assert.throws(() => applyJsonPatch(document, {}), { problem: "malformed" });

  test("copies of a patch are apart from what they were made of", () => {
    const operations = [
      { op: "add", path: "/a/x", value: [1] },
      { op: "copy", from: "/a", path: "/b" },
      { op: "add", path: "/a/x/-", value: 2 },
      { op: "move", from: "/b", path: "/c" },
      { op: "add", path: "/c/x/0", value: 3 },
    ];
    const original = { a: {} };
    assert.deepEqual(applyJsonPatch(original, operations), { a: { x: [1, 2] }, c: { x: [3, 1] } });
    assert.deepEqual(original, { a: {} });
  });

  test("a patch may not copy more and more", () => {
    const doubling = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: "/data", path: `/data/b${i}` }));
    assert.throws(() => applyJsonPatch({ data: { a: "x" } }, doubling), {
      message: /^Unable to copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
    });
  });

  test("a long patch of a large object takes no longer than its parts", () => {
    const labels = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`l${i}`, "x"]));
    const operations = Array.from({ length: 10_000 }, (_, i) => ({ op: "replace", path: `/labels/l${i}`, value: "y" }));
    const { labels: result } = applyJsonPatch({ labels }, operations) as { labels: Record<string, string> };
    assert.deepEqual([result["l9999"], result["l10000"], labels["l0"]], ["y", "x", "x"]);
  });
});

test("a merge patch deletes by null, merges objects and replaces all else", () => {
  const original = deepFreeze({ a: "b", c: { d: "e", f: "g" }, l: [1, 2], k: { x: 1 } });
  const result = applyMergePatch(original, { a: "z", c: { f: null, n: { o: null, p: 1 } }, l: [3] }) as Record<string, unknown>;
  assert.deepEqual(result, { a: "z", c: { d: "e", n: { p: 1 } }, l: [3], k: { x: 1 } });
  assert.equal(result["k"], original.k);
  assert.throws(() => applyMergePatch(original, [1]), { problem: "malformed" });
});

test("a merge patch applied twice changes nothing more", () => {
  const json = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(json, json, (original, patch) => {
      const once = applyMergePatch(original, patch);
      assert.deepEqual(applyMergePatch(once, patch), once);
    }),
    { numRuns: 100 },
  );
});
