// The numbers are upstream's: they decide which definitions can be created.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CelEnvironment, fieldErrorMessage } from "../../../machinery/index.ts";
import { celBoundOf } from "./cel-bounds.ts";
import { celTypeOf } from "./cel-types.ts";
import type { Schema } from "./schema.ts";
import { validateSchema } from "./validate-schema.ts";

const text: Schema = { type: "string" };
const number: Schema = { type: "number" };
const list = (items: Schema, maxItems?: number): Schema => ({ type: "array", items, ...(maxItems === undefined ? {} : { maxItems }) });
const map = (values: Schema): Schema => ({ type: "object", additionalProperties: values as never });

function cost(schema: Schema, rule: string): number {
  const bound = celBoundOf(schema);
  return new CelEnvironment({ variables: { self: celTypeOf(schema, "self") } }).compile(rule).maxCost({ self: bound });
}

test("a comprehension costs what its body does for as many items as fit into a request, or as the schema allows", () => {
  assert.equal(cost(list(number), "self.all(x, true)"), 4_718_591);
  assert.equal(cost(list(number, 10), "self.all(x, true)"), 32);
  assert.equal(cost(list(text), "self.all(x, true)"), 3_145_727);
  assert.equal(cost(map(number), "self.all(x, true)"), 1_348_169);
  assert.equal(cost({ ...map(number), maxProperties: 10 }, "self.all(x, true)"), 32);
});

test("going through a text costs a tenth for each of its bytes", () => {
  assert.equal(cost(text, "self.contains('test')"), 314_574);
  assert.equal(cost({ ...text, maxLength: 10 }, "self.contains('test')"), 5);
  assert.equal(cost({ ...text, enum: ["a", "abcdefghijk"] as never }, "self.contains('test')"), 3);
  assert.equal(cost({ ...text, format: "date-time" }, "self == timestamp('2026-01-01T00:00:00Z')"), 3);
});

test("what is made of values is as large as these can be", () => {
  const short = { ...text, maxLength: 10 };
  const pair: Schema = { type: "object", properties: { a: short, b: short } };
  assert.equal(cost(pair, "(self.a + self.b).startsWith('x')"), 13);
  assert.equal(cost(list(short, 5), "self.map(x, x + x).exists(y, y == 'abcdefghijkl')"), 158);
  assert.equal(cost(pair, "[self.a, self.b].join(',').contains('ab')"), 32);
  assert.equal(cost(pair, "self.?a.optMap(v, v.size()).orValue(0) > 0"), 21);
  assert.equal(cost(pair, "has(self.a) ? self.a.matches('^a*$') : true"), 8);
  assert.equal(cost(list(number, 3), "cel.bind(all, self.filter(x, x > 1.0), all.size() == 2)"), 70);
});

function problems(spec: Schema): string[] {
  return validateSchema({ type: "object", properties: { spec } }, "s").map((error) => fieldErrorMessage(error));
}

const rules = (...texts: string[]): Schema => ({ "x-kubernetes-validations": texts.map((rule) => ({ rule })) });
const advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
const at = "s.properties[spec]";

test("a rule that may cost more than its budget is refused, with by how much", () => {
  const inner = { ...list(list({ ...text, maxLength: 1 }, 1_000), 1_000), ...rules("self.all(x, x.all(y, y == 'a'))") };
  assert.deepEqual(problems(inner), []);
  const more = { ...list(list({ ...text, maxLength: 1 }, 1_000), 2_000), ...rules("self.all(x, x.all(y, y == 'a'))") };
  assert.deepEqual(problems(more), [
    `${at}.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 1.001000x ${advice}`,
  ]);
});

test("a rule counts as often as its place can occur", () => {
  const items = { ...text, ...rules("self.contains('keyword')") };
  const [rule, contributed, total] = problems(list(items));
  const path = `${at}.items.x-kubernetes-validations[0].rule`;
  assert.equal(rule, `${path}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`);
  assert.equal(
    contributed,
    `${path}: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
  );
  const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  assert.equal(total, `s: Forbidden: ${what} exceeds budget by factor of more than 100x ${advice}`);
  assert.deepEqual(problems(list({ ...items, maxLength: 100 }, 1000)), []);
});

test("a message is made once, and may not cost more than a rule", () => {
  const messageExpression = "'not ' + string(self)";
  const [message] = problems({ ...number, "x-kubernetes-validations": [{ rule: "self > 1.0", messageExpression }] });
  assert.match(
    message ?? "",
    /\[0\].messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of more than 100x/,
  );
});

test("rules that were there before may cost what they do", () => {
  const schema: Schema = { type: "object", properties: { spec: list({ ...text, ...rules("self.contains('keyword')") }) } };
  assert.deepEqual(validateSchema(schema, "s", { hasOldRules: true }), []);
});
