import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FieldFacts, FieldType, TypeFacts } from "../../schema.ts";
import { createdFields } from "./created-fields.ts";
import { sortedSet } from "./field-set.ts";
import { ownable } from "./managed-fields.ts";
import { rootShape } from "./shape.ts";
import { wholeFields } from "./value-sets.ts";

const text: FieldType = { kind: "scalar", scalar: "string" };
const field = (name: string, facts: Partial<FieldFacts>): [string, FieldFacts] => [name, { name, type: text, isRequired: false, ...facts }];
const item: TypeFacts = { name: "Item", fields: new Map([field("name", {}), field("port", { defaultValue: 1 }), field("image", {})]) };
const items: FieldType = { kind: "list", items: { kind: "object", type: item } };
const facts: TypeFacts = {
  name: "Thing",
  fields: new Map([
    field("labels", { type: { kind: "map", values: text } }),
    field("names", { type: { kind: "list", items: text }, listType: "set" }),
    field("items", { type: items, listType: "map", listMapKeys: ["name", "port"] }),
    field("args", { type: { kind: "list", items: text } }),
    field("raw", { type: { kind: "scalar", scalar: "any" } }),
    field("status", {}),
  ]),
};

const optional = { requiredKeys: [] };
const word = fc.constantFrom("a", "b");
const item1 = fc.record({ name: word, port: fc.constantFrom(1, 2), image: word }, optional);
const thing = fc.record(
  {
    labels: fc.dictionary(word, word),
    names: fc.uniqueArray(word),
    items: fc.uniqueArray(item1, { selector: ({ name, port = 1 }) => `${name} ${port}` }),
    args: fc.array(word),
    raw: fc.oneof(word, fc.dictionary(word, word), fc.constant(null)),
    status: word,
  },
  optional,
);

test("the fields of a new object do not depend on what was created before it", () => {
  const none: readonly string[] = [];
  const status = ["status"];
  fc.assert(
    fc.property(fc.array(fc.tuple(thing, fc.constantFrom(none, status)), { minLength: 2, maxLength: 5 }), (created) => {
      for (const [value, resetFields] of created) {
        const expected = ownable(wholeFields(value, rootShape(facts)), resetFields);
        const fields = createdFields(value, facts, resetFields);
        assert.deepEqual(fields, expected);
        assert.equal(sortedSet(fields), fields);
      }
    }),
    { numRuns: 500 },
  );
});

test("objects from one template share their fields, and in part those that differ a little", () => {
  const make = (name: string) => ({ labels: { a: "x" }, items: [{ name: "one", image: name }, { name }] });
  const first = createdFields(make("p"), facts, []);
  const other = createdFields(make("q"), facts, []);
  assert.equal(other["f:labels"], first["f:labels"]);
  assert.notDeepEqual(other["f:items"], first["f:items"]);
  const none: readonly string[] = [];
  assert.equal(createdFields(make("q"), facts, none), createdFields(make("q"), facts, none));
});
