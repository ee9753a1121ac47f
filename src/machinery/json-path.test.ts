import assert from "node:assert/strict";
import { test } from "node:test";
import { compileJsonPath, JsonPathError } from "./json-path.ts";

const object = {
  spec: { replicas: 3, list: [{ x: 1 }, { x: 2 }], "a.b": "dotted" },
  metadata: { labels: { "example.com/app": "web" } },
  status: {
    conditions: [
      { type: "Ready", status: "True", n: 5 },
      { type: "Other", status: "False", n: 1 },
    ],
  },
};

test("paths lead to fields, elements and what filters select", () => {
  const results: readonly (readonly [string, unknown[]])[] = [
    [".spec.replicas", [3]],
    ["$.spec.replicas", [3]],
    [".spec.list[0].x", [1]],
    [".spec.list[-1].x", [2]],
    [".spec.list[*].x", [1, 2]],
    [".spec.list[0:1].x", [1]],
    [".spec.a\\.b", ["dotted"]],
    ["['spec']['a.b']", ["dotted"]],
    [".metadata.labels.example\\.com/app", ["web"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type != 'Ready')].status", ["False"]],
    [".status.conditions[?(@.n > 2)].type", ["Ready"]],
    [".status.conditions[?(@.n)].type", ["Ready", "Other"]],
    [".status.missing.deep", []],
    [".spec.list[7]", []],
  ];
  for (const [path, expected] of results) assert.deepEqual(compileJsonPath(path).find(object), expected, path);
});

test("a path of nothing but fields names them", () => {
  assert.deepEqual(compileJsonPath(".spec.replicas").fields, ["spec", "replicas"]);
  assert.equal(compileJsonPath(".spec.list[0]").fields, undefined);
});

test("what is no path is refused", () => {
  for (const path of ["spec", ".spec[", ".spec..x", ".spec[?(@.x==1]"]) assert.throws(() => compileJsonPath(path), JsonPathError, path);
});
