import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { difference, emptySet, type FieldSet, intersection, makeNode, pathTexts, sortedSet, union } from "./field-set.ts";

/** A set of paths as a tree, made without the operations under test. */
function tree(paths: readonly string[][]): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const step of new Set(paths.map(([first = ""]) => first))) {
    const below = paths.filter(([first]) => first === step).map((path) => path.slice(1));
    const deeper = below.filter((path) => path.length > 0);
    result[step] = makeNode(tree(deeper), deeper.length < below.length) ?? emptySet;
  }
  return result;
}

const step = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', "v:1");
const paths = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 });

test("union, difference and intersection are those of the sets of paths", () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const [a, b] = [tree(left), tree(right)];
      const [inA, inB] = [pathTexts(a), pathTexts(b)];
      assert.deepEqual(pathTexts(union(a, b)).sort(), [...new Set([...inA, ...inB])].sort());
      assert.deepEqual(pathTexts(difference(a, b)).sort(), inA.filter((path) => !inB.includes(path)).sort());
      assert.deepEqual(pathTexts(intersection(a, b)).sort(), inA.filter((path) => inB.includes(path)).sort());
    }),
  );
});

test("sorting keeps the set, and what is sorted stays as it is", () => {
  fc.assert(
    fc.property(paths, (some) => {
      const sorted = sortedSet(tree(some));
      assert.deepEqual(sorted, tree(some));
      assert.equal(sortedSet(sorted), sorted);
    }),
  );
});

test("paths are written as upstream writes them", () => {
  const set = {
    "f:spec": { "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:name": {} } } },
    "f:args": { 'v:"x"': {}, "i:2": {} },
  };
  assert.deepEqual(pathTexts(set), [
    '.spec.ports[containerPort=80,protocol="TCP"]',
    '.spec.ports[containerPort=80,protocol="TCP"].name',
    '.args[="x"]',
    ".args[2]",
  ]);
});
