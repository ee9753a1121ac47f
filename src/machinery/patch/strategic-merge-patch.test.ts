import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze } from "../meta/object.ts";
import type { FieldFacts, FieldType, TypeFacts } from "../schema.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

const text: FieldType = { kind: "scalar", scalar: "string" };

function type(name: string, fields: Record<string, Omit<FieldFacts, "name" | "isRequired">>): TypeFacts {
  return { name, fields: new Map(Object.entries(fields).map(([key, facts]) => [key, { name: key, isRequired: false, ...facts }])) };
}

const port = type("core.v1.ContainerPort", { containerPort: { type: { kind: "scalar", scalar: "int32" } }, name: { type: text } });
const container = type("core.v1.Container", {
  name: { type: text },
  image: { type: text },
  args: { type: { kind: "list", items: text } },
  ports: { type: { kind: "list", items: { kind: "object", type: port } }, patchStrategy: ["merge"], patchMergeKey: "containerPort" },
});
const pod = type("core.v1.PodSpec", {
  containers: { type: { kind: "list", items: { kind: "object", type: container } }, patchStrategy: ["merge"], patchMergeKey: "name" },
  finalizers: { type: { kind: "list", items: text }, patchStrategy: ["merge"] },
  nodeSelector: { type: { kind: "map", values: text } },
  strategy: { type: { kind: "scalar", scalar: "any" }, patchStrategy: ["retainKeys"] },
});

const original = deepFreeze({
  containers: [
    { name: "a", image: "a:1", args: ["x"], ports: [{ containerPort: 80, name: "http" }] },
    { name: "b", image: "b:1" },
  ],
  finalizers: ["one", "two", "three"],
  nodeSelector: { disk: "ssd", zone: "z" },
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
});
const patched = (patch: unknown) => strategicMergePatch(original, patch, pod) as typeof original;

test("lists with a merge key are merged, other lists replaced", () => {
  const result = patched({ containers: [{ name: "a", args: ["y"], ports: [{ containerPort: 81 }, { containerPort: 80, name: "web" }] }] });
  assert.deepEqual(result.containers, [
    { name: "a", image: "a:1", args: ["y"], ports: [{ containerPort: 81 }, { containerPort: 80, name: "web" }] },
    { name: "b", image: "b:1" },
  ]);
  assert.equal(result.containers[1], original.containers[1]);
  assert.equal(result.strategy, original.strategy);
});

test("a new element loses nulls and goes where the patch has it", () => {
  const result = patched({ containers: [{ name: "c", image: "c:1", args: null }] });
  assert.deepEqual(
    result.containers.map(({ name }) => name),
    ["c", "a", "b"],
  );
  assert.deepEqual(result.containers[0], { name: "c", image: "c:1" });
});

test("$patch deletes and replaces", () => {
  assert.deepEqual(patched({ containers: [{ $patch: "delete", name: "a" }] }).containers, [{ name: "b", image: "b:1" }]);
  assert.deepEqual(patched({ containers: [{ $patch: "replace" }, { name: "z" }] }).containers, [{ name: "z" }]);
  assert.deepEqual(patched({ nodeSelector: { $patch: "replace", a: "b" } }).nodeSelector, { a: "b" });
  assert.deepEqual(patched({ nodeSelector: { $patch: "delete" } }).nodeSelector, {});
  assert.throws(() => patched({ nodeSelector: { $patch: "swap" } }), /unknown patch type found: swap/);
});

test("lists of scalars are joined, and shortened by $deleteFromPrimitiveList", () => {
  assert.deepEqual(patched({ finalizers: ["four", "one"] }).finalizers, ["four", "one", "two", "three"]);
  assert.deepEqual(patched({ "$deleteFromPrimitiveList/finalizers": ["two"] }).finalizers, ["one", "three"]);
});

test("$setElementOrder orders a list", () => {
  const order = { "$setElementOrder/containers": [{ name: "b" }, { name: "c" }, { name: "a" }] };
  assert.deepEqual(
    patched({ ...order, containers: [{ name: "c", image: "c:1" }] }).containers.map(({ name }) => name),
    ["b", "c", "a"],
  );
  assert.deepEqual(patched({ "$setElementOrder/finalizers": ["three", "one"] }).finalizers, ["two", "three", "one"]);
  assert.throws(() => patched({ ...order, containers: [{ name: "x" }] }), /doesn't match \$setElementOrder list/);
});

test("$retainKeys drops what it does not name", () => {
  assert.deepEqual(patched({ strategy: { $retainKeys: ["type"], type: "Recreate" } }).strategy, { type: "Recreate" });
});

test("null deletes, and an element without its merge key is refused", () => {
  assert.deepEqual(patched({ nodeSelector: { disk: null, other: null } }).nodeSelector, { zone: "z" });
  assert.equal("strategy" in patched({ strategy: null }), false);
  assert.throws(() => patched({ containers: [{ image: "x" }] }), /does not contain declared merge key: name/);
});
