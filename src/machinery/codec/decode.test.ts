import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldFacts, FieldType, TypeFacts } from "../schema.ts";
import { DecodeError, fitToType, parseJson } from "./decode.ts";

const scalar = (name: "string" | "int32" | "time" | "quantity" | "intOrString" | "boolean" | "any"): FieldType => ({
  kind: "scalar",
  scalar: name,
});

function type(name: string, fields: Record<string, FieldType>): TypeFacts {
  return {
    name,
    fields: new Map(Object.entries(fields).map(([key, of]): [string, FieldFacts] => [key, { name: key, type: of, isRequired: false }])),
  };
}

const container = type("core.v1.Container", {
  name: scalar("string"),
  limits: { kind: "map", values: scalar("quantity") },
  args: { kind: "list", items: scalar("string") },
});
const spec = type("apps.v1.DeploymentSpec", {
  replicas: scalar("int32"),
  paused: scalar("boolean"),
  surge: scalar("intOrString"),
  since: scalar("time"),
  containers: { kind: "list", items: { kind: "object", type: container } },
});
const deployment = type("apps.v1.Deployment", {
  spec: { kind: "object", type: spec },
  labels: { kind: "map", values: scalar("string") },
  raw: scalar("any"),
});

test("duplicate members are found with their paths, in lists and behind escapes too", () => {
  const text = '{"spec":{"replicas":1,"replicas":2,"c":[{"a":1},{"b":"x\\"y\\\\","b":{"q":1}}]},"l":["k","k"],"sp\\u0065c":1}';
  const { value, duplicates } = parseJson(text, { detectsDuplicates: true });
  assert.deepEqual(duplicates, ['duplicate field "spec.replicas"', 'duplicate field "spec.c[1].b"', 'duplicate field "spec"']);
  assert.deepEqual(value, JSON.parse(text));
  assert.deepEqual(parseJson(text).duplicates, []);
  assert.throws(() => parseJson("{"), DecodeError);
});

test("colons, quotes and brackets in strings are no members and no depth", () => {
  const text = '{"a:":"b\\":{[","c":["\\\\",{"c":":"}]}';
  assert.deepEqual(parseJson(text, { detectsDuplicates: true, maxDepth: 3 }), { value: JSON.parse(text), duplicates: [] });
  assert.throws(() => parseJson(text, { maxDepth: 2 }), DecodeError);
});

test("unknown fields are reported and left out, known ones copied", () => {
  const value = { spec: { replicas: 1, foo: 1, containers: [{ name: "a" }, { name: "b", bar: {} }] }, labels: { any: "x" }, raw: { q: 1 } };
  const unknown = ['unknown field "spec.foo"', 'unknown field "spec.containers[1].bar"'];
  const object = { spec: { replicas: 1, containers: [{ name: "a" }, { name: "b" }] }, labels: { any: "x" }, raw: { q: 1 } };
  assert.deepEqual(fitToType(value, deployment), { object, unknown, typeError: undefined });
  assert.equal(value.spec.foo, 1);
});

test("nulls vanish, and become empty values in lists and maps", () => {
  const value = { spec: { replicas: null, containers: [null, { args: ["a", null] }] }, labels: { a: null } };
  const { object, typeError } = fitToType(value, deployment);
  assert.equal(typeError, undefined);
  assert.deepEqual(object, { spec: { containers: [{}, { args: ["a", ""] }] }, labels: { a: "" } });
});

test("wrong types are named as Go's decoder names them", () => {
  const cases: [unknown, string][] = [
    [{ spec: { replicas: "3" } }, "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"],
    [{ spec: { replicas: 1.5 } }, "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"],
    [
      { spec: { containers: {} } },
      "json: cannot unmarshal object into Go struct field DeploymentSpec.spec.containers of type []v1.Container",
    ],
    [
      { spec: { containers: [{ name: 1 }] } },
      "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
    ],
    [{ spec: [] }, "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"],
    [{ labels: { a: true } }, "json: cannot unmarshal bool into Go struct field Deployment.labels.a of type string"],
    [[], "json: cannot unmarshal array into Go value of type v1.Deployment"],
  ];
  for (const [value, message] of cases) assert.equal(fitToType(value, deployment).typeError, message);
});

test("quantities, times and int-or-strings are checked by their own rules", () => {
  const problem = (value: unknown) => fitToType({ spec: value }, deployment).typeError ?? "";
  assert.equal(problem({ surge: "25%", since: "2026-01-01T00:00:00Z", containers: [{ limits: { cpu: 1, memory: "1Gi" } }] }), "");
  assert.match(problem({ containers: [{ limits: { cpu: "x" } }] }), /^quantities must match/);
  assert.match(problem({ since: "yesterday" }), /^parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"/);
  assert.match(problem({ surge: true }), /^json: cannot unmarshal bool into Go struct field DeploymentSpec\.spec\.surge/);
});

test("left out is what says nothing: empty lists and maps, and zeros where they mean as much as absence", () => {
  const plain = spec.fields.get("paused");
  assert.ok(plain);
  const facts: TypeFacts = { name: "t", fields: new Map([...spec.fields, ["paused", { ...plain, isOmittedWhenZero: true }]]) };
  const draft = { replicas: 0, paused: false, containers: [{ args: [], limits: {} }] };
  assert.deepEqual(fitToType(draft, facts).object, { replicas: 0, containers: [{}] });
});
