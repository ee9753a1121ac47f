import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeStored } from "../registry/encode.ts";
import { SharedFieldSets } from "./field-sets.ts";

const entry = (fieldsV1: object, manager = "kubectl") => ({
  manager,
  operation: "Update",
  fieldsType: "FieldsV1",
  fieldsV1,
  subresource: "status",
});
const pod = (managedFields: object[], rest: object = {}) =>
  JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata: { name: "web", managedFields }, ...rest });
const labels = { "f:metadata": { "f:labels": { "f:app": {} } } };
const ports = { "f:spec": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {} } } };

test("objects with the same field sets share them", () => {
  const sets = new SharedFieldSets();
  const [first, second] = [sets.parse(pod([entry(labels), entry(ports)])), sets.parse(pod([entry(ports, "helm"), entry(labels)]))];
  assert.equal(first.metadata.managedFields?.[0]?.fieldsV1, second.metadata.managedFields?.[1]?.fieldsV1);
  assert.equal(first.metadata.managedFields?.[1]?.fieldsV1, second.metadata.managedFields?.[0]?.fieldsV1);
  const [written] = sets.share([entry(structuredClone(ports))]);
  assert.equal(written?.fieldsV1, first.metadata.managedFields?.[1]?.fieldsV1);
});

test("too many different field sets are forgotten, and shared anew", () => {
  const sets = new SharedFieldSets();
  const parsed = () => sets.parse(pod([entry(labels)])).metadata.managedFields?.[0]?.fieldsV1;
  const first = parsed();
  for (let n = 0; n < 5; n++) sets.share([entry({ [`f:${"x".repeat(2 ** 20)}${n}`]: {} })]);
  sets.parse(pod([entry(ports)]));
  assert.notEqual(parsed(), first);
  assert.equal(parsed(), parsed());
});

test("what is written with shared field sets is what JSON says, and shared entries stay the same", () => {
  const sets = new SharedFieldSets();
  const object = { kind: "Pod", apiVersion: "v1", metadata: { name: "web", managedFields: sets.share([entry(labels), entry(ports)]) } };
  const textOf = (set: object) => sets.textOf(set);
  assert.deepEqual(JSON.parse(Buffer.from(encodeStored(object, textOf)).toString()), object);
  const { managedFields } = object.metadata;
  assert.deepEqual(
    sets.share(managedFields).map((each, index) => each === managedFields[index]),
    [true, true],
  );
  const bare = { kind: "Pod", metadata: { resourceVersion: "7", managedFields: [{}] }, spec: {} };
  assert.equal(Buffer.from(encodeStored(bare, textOf)).toString(), '{"kind":"Pod","metadata":{"managedFields":[{}]},"spec":{}}');
});

test("shared field sets cannot be changed", () => {
  const [{ fieldsV1 } = {}] = new SharedFieldSets().share([entry(structuredClone(labels))]);
  assert.ok(Object.isFrozen((fieldsV1 as typeof labels)["f:metadata"]["f:labels"]));
});

test("what is only called like field sets stays as it is", () => {
  const sets = new SharedFieldSets();
  for (const text of [
    pod([entry(labels)], { spec: { x: 1, fieldsV1: { a: 1 } } }),
    pod([], { spec: { template: { metadata: { name: "x", managedFields: [entry(labels)] } } } }),
    JSON.stringify({ kind: "Pod", metadata: { name: "x" }, spec: { x: 1, managedFields: [entry(labels)] } }),
  ])
    assert.deepEqual(sets.parse(text), JSON.parse(text));
});

test("whatever keys and texts hold, the parsed object is the one that was written", () => {
  const sets = new SharedFieldSets();
  const set = fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.constant({})));
  const metadata = fc.record({
    annotations: fc.dictionary(fc.string(), fc.string()),
    managedFields: fc.array(set.map((each) => entry(each))),
  });
  fc.assert(
    fc.property(metadata, fc.jsonValue(), (meta, spec) => {
      const text = JSON.stringify({ kind: "X", metadata: meta, spec });
      assert.deepEqual(sets.parse(text), JSON.parse(text));
    }),
  );
});
