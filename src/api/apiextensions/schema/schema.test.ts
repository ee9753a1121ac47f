import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "../../../machinery/index.ts";
import { celName } from "./cel-types.ts";
import { applySchemaDefaults } from "./defaults.ts";
import { schemaFacts } from "./facts.ts";
import { pruneCustomResource } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { validateSchema } from "./validate-schema.ts";
import { validateValue } from "./validate-value.ts";

const root = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({ type: "object", properties, ...more });
const texts = (schema: Schema) => validateSchema(schema, "s").map((error) => fieldErrorMessage(error));
const problems = (value: unknown, schema: Schema, old?: unknown) =>
  validateValue(value, schema, { path: "x", old }).map((error) => fieldErrorMessage(error));

test("pruning takes what the schema does not know, and keeps what it is told to keep", () => {
  const schema = root({
    open: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { closed: root({ a: { type: "string" } }) } },
    map: { type: "object", additionalProperties: root({ a: { type: "string" } }) },
    list: { type: "array", items: root({ a: { type: "string" } }) },
    pod: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: root({}) } },
  });
  const object = {
    apiVersion: "v1",
    kind: "X",
    metadata: { name: "a", nonsense: 1 },
    extra: 1,
    open: { any: 1, closed: { a: "", b: 1 } },
    map: { k: { a: "", b: 1 } },
    list: [{ a: "", b: 1 }],
    pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "x", nonsense: 1 }, spec: { b: 1 }, status: {} },
  };
  const { unknown } = pruneCustomResource(object, schema);
  assert.deepEqual(unknown, [
    'unknown field "metadata.nonsense"',
    'unknown field "extra"',
    'unknown field "open.closed.b"',
    'unknown field "map.k.b"',
    'unknown field "list[0].b"',
    'unknown field "pod.metadata.nonsense"',
    'unknown field "pod.spec.b"',
    'unknown field "pod.status"',
  ]);
  assert.deepEqual(object, {
    apiVersion: "v1",
    kind: "X",
    metadata: { name: "a" },
    open: { any: 1, closed: { a: "" } },
    map: { k: { a: "" } },
    list: [{ a: "" }],
    pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: {} },
  });
});

test("defaults fill in from the outside in, and replace forbidden nulls", () => {
  const schema = root({
    outer: root({ inner: { type: "string", default: "deep" } }, { default: {} }),
    notNull: { type: "integer", default: 5 },
    mayBeNull: { type: "integer", default: 5, nullable: true },
    noDefault: { type: "string" },
    list: { type: "array", items: root({ a: { type: "string", default: "x" } }) },
  });
  const object = { notNull: null, mayBeNull: null, noDefault: null, list: [{}] };
  applySchemaDefaults(object, schema);
  assert.deepEqual(object, { notNull: 5, mayBeNull: null, list: [{ a: "x" }], outer: { inner: "deep" } });
});

test("values are held against every rule of their schema", () => {
  const cases: readonly (readonly [unknown, Schema, readonly string[]])[] = [
    [5, { type: "string" }, ['x: Invalid value: "integer": x in body must be of type string: "integer"']],
    [1.5, { type: "integer" }, ['x: Invalid value: "number": x in body must be of type integer: "number"']],
    [null, { type: "string" }, ['x: Invalid value: "null": x in body must be of type string: "null"']],
    [null, { type: "string", nullable: true }, []],
    [0, { type: "integer", minimum: 1 }, ["x: Invalid value: 0: x in body should be greater than or equal to 1"]],
    [1, { type: "integer", minimum: 1, exclusiveMinimum: true }, ["x: Invalid value: 1: x in body should be greater than 1"]],
    [7, { type: "integer", multipleOf: 5 }, ["x: Invalid value: 7: x in body should be a multiple of 5"]],
    [0.3, { type: "number", multipleOf: 0.1 }, []],
    ["c", { type: "string", enum: ["a", "b"] }, ['x: Unsupported value: "c": supported values: "a", "b"']],
    ["ab", { type: "string", minLength: 3 }, ['x: Invalid value: "ab": x in body should be at least 3 chars long']],
    ["abcd", { type: "string", maxLength: 3 }, ["x: Too long: may not be more than 3 bytes"]],
    ["x", { type: "string", format: "ipv4" }, ['x: Invalid value: "x": x in body must be of type ipv4: "x"']],
    ["anything", { type: "string", format: "unheard-of" }, []],
    [[1, 2], { type: "array", maxItems: 1, items: { type: "integer" } }, ["x: Too many: 2: must have at most 1 items"]],
    [{}, { type: "object", required: ["a"] }, ["x.a: Required value"]],
    [{}, { type: "object", minProperties: 1 }, ["x: Invalid value: 0: x in body should have at least 1 properties"]],
    ["5", { "x-kubernetes-int-or-string": true }, []],
    [
      3,
      { type: "integer", anyOf: [{ minimum: 5 }, { maximum: 2 }] },
      ['x: Invalid value: 3: "x" must validate at least one schema (anyOf)'],
    ],
    [
      3,
      { type: "integer", oneOf: [{ minimum: 1 }, { maximum: 5 }] },
      ['x: Invalid value: 3: "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [3, { type: "integer", not: { minimum: 1 } }, ['x: Invalid value: 3: "x" must not validate the schema (not)']],
  ];
  for (const [value, schema, expected] of cases) assert.deepEqual(problems(value, schema), expected, JSON.stringify(schema));
});

test("what an update leaves as it was is not judged again, element by element where keys tell which is which", () => {
  const items = root({ name: { type: "string" }, size: { type: "integer", maximum: 3 } });
  const keyed: Schema = { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], items };
  const old = [{ name: "a", size: 9 }];
  const next = [
    { name: "b", size: 1 },
    { name: "a", size: 9 },
  ];
  assert.deepEqual(problems(next, keyed, old), []);
  assert.equal(problems([{ name: "b", size: 9 }], keyed, old).length, 1);
  assert.equal(problems(next, { type: "array", items }, old).length, 1);
});

test("a schema must say the type of everything, and logic may not add to it", () => {
  const cases: readonly (readonly [Schema, readonly string[]])[] = [
    [{ properties: {} }, ["s.type: Required value: must not be empty at the root"]],
    [{ type: "string" }, ['s.type: Invalid value: "string": must be object at the root']],
    [root({ a: {} }), ["s.properties[a].type: Required value: must not be empty for specified object fields"]],
    [
      root({ a: { type: "array", items: {} } }),
      ["s.properties[a].items.type: Required value: must not be empty for specified array items"],
    ],
    [
      root({ a: { type: "text" } }),
      ['s.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"'],
    ],
    [
      root({ a: { type: "object", properties: { b: { type: "string" } }, additionalProperties: { type: "string" } } }),
      ["s.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
    ],
    [
      root({ a: { type: "array", items: { type: "string" }, uniqueItems: true } }),
      ["s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"],
    ],
    [
      root({ a: { type: "string", pattern: "(" } }),
      [
        's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
      ],
    ],
    [
      root({ a: { type: "string", anyOf: [{ type: "string" }] } }),
      ["s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"],
    ],
    [
      root({}, { anyOf: [{ properties: { a: {} } }] }),
      ["s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]"],
    ],
    [
      root({ metadata: { type: "object", properties: { labels: { type: "object" } } } }),
      [
        "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
      ],
    ],
    [
      root({ a: { type: "object", "x-kubernetes-preserve-unknown-fields": false } }),
      ["s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
    ],
    [
      root({ a: { type: "array", "x-kubernetes-list-type": "map", items: root({ k: { type: "string" } }) } }),
      ["s.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"],
    ],
    [
      root({
        a: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], items: root({ k: { type: "string" } }) },
      }),
      [
        "s.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
      ],
    ],
    [
      root({ a: { type: "integer", default: "x" } }),
      ['s.properties[a].default: Invalid value: "string": s.properties[a].default in body must be of type integer: "string"'],
    ],
    [root({ a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] } }), []],
  ];
  for (const [schema, expected] of cases) assert.deepEqual(texts(schema), expected, JSON.stringify(schema));
});

test("rules that do not compile are reported with the schema", () => {
  const schema = root(
    { a: { type: "integer" } },
    {
      "x-kubernetes-validations": [
        { rule: "self.b > 1" },
        { rule: "self.a" },
        { rule: "" },
        { rule: "self.a > 0", messageExpression: "self.a" },
      ],
    },
  );
  const [unknown, ...others] = texts(schema);
  assert.match(
    unknown ?? "",
    /s.x-kubernetes-validations\[0\].rule: Invalid value: "self.b > 1": compilation failed: ERROR: <input>:1:5: undefined field 'b'/,
  );
  assert.deepEqual(others, [
    's.x-kubernetes-validations[1].rule: Invalid value: "self.a": cel expression must evaluate to a bool',
    "s.x-kubernetes-validations[2].rule: Required value: rule is not specified",
    's.x-kubernetes-validations[3].messageExpression: Invalid value: "self.a": messageExpression must evaluate to a string',
  ]);
});

test("names that are no identifiers are escaped for expressions", () => {
  assert.deepEqual(["a", "in", "a.b", "a-b", "a__b", "x/y", "1a"].map(celName), [
    "a",
    "__in__",
    "a__dot__b",
    "a__dash__b",
    "a__underscores__b",
    "x__slash__y",
    undefined,
  ]);
});

test("the facts for server-side apply have the lists' types and keys", () => {
  const facts = schemaFacts(
    "t",
    root({
      l: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: root({ k: { type: "string", default: "d" } }),
      },
    }),
  );
  const list = facts.fields.get("l");
  assert.deepEqual([list?.listType, list?.listMapKeys], ["map", ["k"]]);
  assert.deepEqual([...facts.fields.keys()], ["l", "apiVersion", "kind", "metadata"]);
});
