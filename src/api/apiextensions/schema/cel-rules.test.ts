// Rules as people write them: from Kubernetes' documentation, and of the kinds that well-known projects use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "../../../machinery/index.ts";
import { compileRules, evaluateRules } from "./cel-rules.ts";
import type { Schema } from "./schema.ts";
import { validateSchema } from "./validate-schema.ts";

const text: Schema = { type: "string" };
const integer: Schema = { type: "integer" };
const object = (properties: Record<string, Schema>): Schema => ({ type: "object", properties });
const list = (items: Schema, more: Schema = {}): Schema => ({ type: "array", items, ...more });
const keyed = (key: string, items: Schema): Schema => list(items, { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] });

/** The schema of `spec` with one rule. */
function withRule(spec: Schema, rule: string): Schema {
  return { type: "object", properties: { spec: { ...spec, "x-kubernetes-validations": [{ rule }] } } };
}

function problems(schema: Schema, spec: unknown, old?: unknown): string[] {
  assert.deepEqual(
    // What rules cost is not the question here.
    validateSchema(schema, "s", { hasOldRules: true }).map((error) => fieldErrorMessage(error)),
    [],
  );
  const rules = compileRules(schema, { name: "test", isRoot: true });
  assert.ok(rules);
  return evaluateRules(rules, { spec }, old === undefined ? undefined : { spec: old }).map((error) => fieldErrorMessage(error));
}

interface Case {
  readonly spec: Schema;
  readonly rule: string;
  readonly good: unknown;
  readonly bad: unknown;
  /** What stood before. */
  readonly old?: unknown;
}

const port = object({ name: text, protocol: text, port: integer, hostname: text });
const cases: readonly Case[] = [
  {
    spec: object({ minReplicas: integer, replicas: integer, maxReplicas: integer }),
    rule: "self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas",
    good: { minReplicas: 1, replicas: 2, maxReplicas: 3 },
    bad: { minReplicas: 1, replicas: 4, maxReplicas: 3 },
  },
  {
    spec: object({ counts: { type: "object", additionalProperties: integer } }),
    rule: "'Available' in self.counts",
    good: { counts: { Available: 1 } },
    bad: { counts: {} },
  },
  {
    spec: object({ a: list(text), b: list(text) }),
    rule: "(size(self.a) == 0) != (size(self.b) == 0)",
    good: { a: [], b: ["x"] },
    bad: { a: ["y"], b: ["x"] },
  },
  {
    spec: object({ env: keyed("name", { ...object({ name: text, value: text }), required: ["name"] }) }),
    rule: "self.env.filter(e, e.name == 'MY_ENV').all(e, e.value.matches('^[a-zA-Z]*$'))",
    good: { env: [{ name: "MY_ENV", value: "ok" }] },
    bad: { env: [{ name: "MY_ENV", value: "123" }] },
  },
  {
    spec: object({
      created: { type: "string", format: "date-time" },
      ttl: { type: "string", format: "duration" },
      expired: { type: "string", format: "date-time" },
    }),
    rule: "has(self.expired) && self.created + self.ttl < self.expired",
    good: { created: "2024-01-01T00:00:00Z", ttl: "1h", expired: "2024-01-01T02:00:00Z" },
    bad: { created: "2024-01-01T00:00:00Z", ttl: "3h", expired: "2024-01-01T02:00:00Z" },
  },
  {
    spec: { "x-kubernetes-int-or-string": true },
    rule: "type(self) == string ? self == '100%' : self == 1000",
    good: "100%",
    bad: 5,
  },
  {
    spec: object({
      names: list(text, { "x-kubernetes-list-type": "set" }),
      details: { type: "object", additionalProperties: object({ a: text }) },
    }),
    rule: "size(self.names) == size(self.details) && self.names.all(n, n in self.details)",
    good: { names: ["x"], details: { x: { a: "" } } },
    bad: { names: ["y"], details: { x: { a: "" } } },
  },
  {
    spec: object({ priority: integer, tier: text }),
    rule: "has(self.priority) && self.priority > 5 ? self.tier == 'gold' : true",
    good: { priority: 3 },
    bad: { priority: 7, tier: "silver" },
  },
  {
    spec: list(port),
    rule: "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))",
    good: [
      { port: 80, protocol: "TCP" },
      { port: 80, protocol: "TCP", hostname: "a" },
    ],
    bad: [
      { port: 80, protocol: "TCP" },
      { port: 80, protocol: "TCP" },
    ],
  },
  {
    spec: object({ group: text, kind: text, port: integer }),
    rule: "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
    good: { group: "", kind: "Service", port: 80 },
    bad: { group: "", kind: "Service" },
  },
  {
    spec: object({ host: text }),
    rule: "isURL(self.host) && url(self.host).getScheme() in ['http', 'https']",
    good: { host: "https://x.com" },
    bad: { host: "ftp://x.com" },
  },
  {
    spec: object({ memory: text }),
    rule: "quantity(self.memory).isLessThan(quantity('10Gi'))",
    good: { memory: "512Mi" },
    bad: { memory: "11Gi" },
  },
  {
    spec: object({ cidr: text, ip: text }),
    rule: "cidr(self.cidr).containsIP(self.ip)",
    good: { cidr: "10.0.0.0/8", ip: "10.1.1.1" },
    bad: { cidr: "10.0.0.0/8", ip: "11.1.1.1" },
  },
  { spec: object({ weight: { type: "number" } }), rule: "self.weight > 0 && self.weight <= 1.0", good: { weight: 1 }, bad: { weight: 2 } },
  { spec: object({ a: object({ b: text }) }), rule: "self.?a.?b.orValue('x') == 'x'", good: {}, bad: { a: { b: "y" } } },
  {
    spec: object({ in: text, "a-b": text }),
    rule: "self.__in__ == self.a__dash__b",
    good: { in: "x", "a-b": "x" },
    bad: { in: "x", "a-b": "y" },
  },
  {
    spec: object({ class: text }),
    rule: "!has(oldSelf.class) || (has(self.class) && self.class == oldSelf.class)",
    good: { class: "a" },
    bad: {},
    old: { class: "a" },
  },
  { spec: list(text, { "x-kubernetes-list-type": "set" }), rule: "oldSelf.all(x, x in self)", good: ["a", "b"], bad: ["b"], old: ["a"] },
  { spec: object({ a: text }), rule: "self == oldSelf", good: { a: "x" }, bad: { a: "y" }, old: { a: "x" } },
  {
    spec: object({ tags: { type: "object", additionalProperties: text } }),
    rule: "self.tags.all(k, v, k.size() < 4 && v != '')",
    good: { tags: { a: "b" } },
    bad: { tags: { a: "" } },
  },
  {
    spec: object({
      templates: list({
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
        properties: {},
      }),
    }),
    rule: "self.templates.all(t, t.kind == 'Pod' && t.metadata.name.startsWith('x'))",
    good: { templates: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "x1" } }] },
    bad: { templates: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "y1" } }] },
  },
];

test("rules hold where they should and fail where they should", () => {
  for (const { spec, rule, good, bad, old } of cases) {
    const schema = withRule(spec, rule);
    assert.deepEqual(problems(schema, good, old), [], rule);
    const [problem, ...others] = problems(schema, bad, old);
    assert.match(problem ?? "", /^spec: Invalid value: (?:5: )?failed rule: /, rule);
    assert.deepEqual(others, [], rule);
  }
});

test("a rule about a change is not asked about what is new, unless it says that it may be", () => {
  assert.deepEqual(problems(withRule(object({ a: text }), "self.a == oldSelf.a"), { a: "x" }), []);
  const optional: Schema = {
    type: "object",
    properties: {
      spec: {
        ...object({ a: text }),
        "x-kubernetes-validations": [{ rule: "oldSelf.hasValue() || self.a == 'first'", optionalOldSelf: true }],
      },
    },
  };
  assert.equal(problems(optional, { a: "x" }).length, 1);
  assert.deepEqual(problems(optional, { a: "first" }), []);
  assert.deepEqual(problems(optional, { a: "y" }, { a: "x" }), []);
});

test("an expensive rule ends, and takes the others with it", () => {
  const spec: Schema = {
    ...list(text),
    "x-kubernetes-validations": [{ rule: "self.all(x, self.all(y, self.all(z, x + y + z != '')))" }, { rule: "false" }],
  };
  const many = Array.from({ length: 300 }, (_, index) => `item ${index}`);
  const found = problems({ type: "object", properties: { spec } }, many);
  assert.equal(found.length, 1);
  assert.match(found[0] ?? "", /no further validation rules will be run due to call cost exceeds limit for rule/);
});
