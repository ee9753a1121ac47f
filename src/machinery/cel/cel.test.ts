import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AuthorizerQuestion,
  authorizerType,
  CelCompileError,
  CelEnvironment,
  CelEvaluationError,
  type CelObjectType,
  type CelType,
  celAuthorizer,
} from "./index.ts";

const data = {
  self: {
    a: 1,
    ratio: 1.5,
    b: [1, 2, 3],
    c: { x: 1 },
    name: "web",
    items: [
      { key: "a", n: 1 },
      { key: "b", n: 2 },
    ],
    "a.b": true,
  },
  labels: { app: "web", tier: "front" },
  names: ["a", "b"],
  d: 1.5,
  i: 3,
  when: "2024-02-29T12:30:45.5Z",
};
const variables: Record<string, CelType> = {
  self: "dyn",
  labels: { kind: "map", key: "string", value: "string" },
  names: { kind: "list", element: "string" },
  d: "double",
  i: "int",
  when: "timestamp",
};
const environment = new CelEnvironment({ variables });
const evaluate = (expression: string) => environment.compile(expression).evaluate(data);

/** Expressions with their results. */
const results: readonly (readonly [string, unknown])[] = [
  ["self.a == 1 && self.ratio > 1", true],
  ["self.a == 1.0 && 1u == dyn(1)", true],
  ["self.?z.orValue(3)", 3],
  ["self.?c.?x.hasValue() && !self.?c.?y.hasValue()", true],
  ["self.c[?'x'].orValue(0) + self.b[?9].orValue(7)", 8],
  ["optional.of(2).optMap(x, x * 2).value()", 4],
  ["optional.none().or(optional.of(1)).value()", 1],
  ["[1, ?optional.none(), ?optional.of(3)]", [1, 3]],
  ["{'a': 1, ?'b': self.?z}", { a: 1 }],
  ["self.`a.b`", true],
  ["self.b.all(x, x > 0) && self.b.exists(x, x == 3) && self.b.exists_one(x, x == 2)", true],
  ["self.b.map(x, x * 2)", [2, 4, 6]],
  ["self.b.map(x, x > 1, x * 10)", [20, 30]],
  ["self.b.filter(x, x % 2 == 1)", [1, 3]],
  ["labels.all(k, labels[k].startsWith(k) || true) && 'app' in labels", true],
  ["names.all(i, v, v == ['a', 'b'][i])", true],
  ["labels.exists(k, v, k == 'tier' && v == 'front')", true],
  ["labels.transformMap(k, v, k + v).app", "appweb"],
  ["names.transformList(i, v, i > 0, v)", ["b"]],
  ["names.transformMapEntry(i, v, {v: i})", { a: 0, b: 1 }],
  ["self.items.sortBy(x, -x.n)[0].key", "b"],
  ["cel.bind(x, self.a + 1, x * x)", 4],
  ["has(self.a) && !has(self.zzz) && has(labels.app)", true],
  ["type(self.a) == int && type(d) == double && type('') == string && type(null) == null_type", true],
  ["self.zzz == 1 || true", true],
  ["self.a / 0 == 1 || true", true],
  ["[1, 2] + [3] == [1, 2, 3] && {'a': 1} == {'a': 1}", true],
  ["-7 / 2 == -3 && -7 % 2 == -1 && 9223372036854775807 > 0 && -9223372036854775808 < 0", true],
  ["int('12') + int(3.9) + int(true ? 1u : 2u)", 16],
  ["string(1) + string(1.5) + string(true) + string(b'x')", "11.5truex"],
  ["'a€😀b'.size() == 4 && 'a€😀b'.indexOf('b') == 3 && 'a€😀b'.charAt(2) == '😀' && 'a€😀b'.substring(1, 3) == '€😀'", true],
  ["'a,b,c'.split(',', 2)", ["a", "b,c"]],
  ["['x', 'y'].join('-') + ' TRIM '.trim().lowerAscii() + 'aXbX'.replace('X', '_', 1)", "x-ytrima_bX"],
  ["'%s is %d (%.2f) %x'.format(['n', 5, 1.0, 255])", "n is 5 (1.00) ff"],
  ["'abc123'.matches('^[a-c]+\\\\d+$') && 'abc123'.find('\\\\d+') == '123'", true],
  ["'a1b2'.findAll('[0-9]')", ["1", "2"]],
  ["r'\\d' == '\\\\d' && '\\u20ac' == '€' && '''a\nb''' == 'a\\nb' && b'\\xff'.size() == 1", true],
  [
    "[3, 1, 2].sum() == 6 && [3, 1].min() == 1 && [1.5, 2.5].max() == 2.5 && [1, 2, 2].isSorted() && ['b', 'a', 'b'].lastIndexOf('b') == 2",
    true,
  ],
  ["[1, 2, 1].distinct().size() == 2 && [3, 1].sort() == [1, 3] && [[1], [2]].flatten() == [1, 2] && [1, 2, 3].slice(1, 2) == [2]", true],
  ["sets.contains([1, 2], [1]) && sets.intersects(names, ['b']) && sets.equivalent([1, 1], [1])", true],
  ["duration('1h30m') > duration('90s') && duration('90s').getMinutes() == 1 && string(duration('1.5h')) == '5400s'", true],
  [
    "when.getFullYear() == 2024 && when.getMonth() == 1 && when.getDate() == 29 && when.getDayOfYear() == 59 && when.getHours('+02:00') == 14",
    true,
  ],
  ["string(when + duration('1m'))", "2024-02-29T12:31:45.5Z"],
  ["timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')", true],
  [
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').add(quantity('1.5')).asInteger() == 2 && quantity('1') == quantity('1000m')",
    true,
  ],
  ["isQuantity('1Ki') && !isQuantity('1Xi') && quantity('-1').sign() == -1", true],
  ["ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && !isIP('10.0.0.256') && !ip.isCanonical('::0001')", true],
  [
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'",
    true,
  ],
  ["url('https://example.com:80/a%20b?x=1&x=2').getHost() == 'example.com:80' && url('https://[::1]:80/').getHostname() == '::1'", true],
  ["url('https://example.com/path?k=a').getQuery()['k'][0] + url('https://example.com/p').getEscapedPath()", "a/p"],
  ["isURL('/absolute') && !isURL('../relative') && url('https://example.com').getEscapedPath() == ''", true],
  ["!format.dns1123Label().validate('name').hasValue() && format.named('uuid').value().validate('x').value()[0].startsWith('does')", true],
  ["semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-alpha').isLessThan(semver('1.0.0')) && isSemver('v1.0', true)", true],
  ["'x' in ['x'] ? 'yes' : 'no'", "yes"],
  ["[dyn(1), 'a'].size()", 2],
  ["string(1.0) == '1' && string(1e21)=='1e+21'", true],
];

test("expressions have the results that Kubernetes documents", () => {
  for (const [expression, expected] of results) assert.deepEqual(evaluate(expression), expected, expression);
});

test("what has no result says why", () => {
  const failures: readonly (readonly [string, string])[] = [
    ["self.zzz", "no such key: zzz"],
    ["labels['zzz']", "no such key: zzz"],
    ["self.b[5]", "index out of bounds: 5"],
    ["1 / 0", "division by zero"],
    ["9223372036854775807 + 1", "integer overflow"],
    ["self.a + self.name", "no such overload"],
    ["self.a ? 1 : 2", "no such overload"],
    ["self.b.all(x, x.foo)", "no such overload"],
    ["'a'.matches('(')", "error parsing regexp: missing closing ): `(`"],
  ];
  for (const [expression, message] of failures)
    assert.throws(
      () => evaluate(expression),
      (err) => err instanceof CelEvaluationError && err.message === message,
      expression,
    );
});

test("what does not compile points at the place", () => {
  const failures: readonly (readonly [string, string])[] = [
    ["foo == 1", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo == 1\n | ^"],
    ["1 + 'a'", "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^"],
    [
      "i.startsWith('a')",
      "ERROR: <input>:1:13: found no matching overload for 'startsWith' applied to 'int.(string)'\n | i.startsWith('a')\n | ............^",
    ],
    ["names.foo()", "ERROR: <input>:1:10: undeclared reference to 'foo' (in container '')\n | names.foo()\n | .........^"],
    ["d == i", "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(double, int)'\n | d == i\n | ..^"],
    ["[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"],
    ["d.x", "ERROR: <input>:1:2: type 'double' does not support field selection\n | d.x\n | .^"],
  ];
  for (const [expression, message] of failures)
    assert.throws(
      () => environment.compile(expression),
      (err) => err instanceof CelCompileError && err.message === `compilation failed: ${message}`,
      expression,
    );
  assert.throws(
    () => environment.compile("self.a +"),
    /compilation failed: ERROR: <input>:1:9: Syntax error: mismatched input '<EOF>' expecting/,
  );
  assert.throws(() => environment.compile("self.a b"), /Syntax error: mismatched input 'b' expecting <EOF>/);
});

test("a program knows the type of its result", () => {
  const types: readonly (readonly [string, string])[] = [
    ["i > 1", "bool"],
    ["names.map(x, x + 'b')", "list(string)"],
    ["self.a", "dyn"],
    ["{'a': 1}", "map(string, int)"],
    ["when - when", "duration"],
    ["labels[?'a']", "optional_type(string)"],
    ["[].map(x, x)", "list(dyn)"],
  ];
  for (const [expression, type] of types) assert.equal(environment.compile(expression).resultType, type, expression);
});

const container: CelObjectType = {
  kind: "object",
  name: "container",
  fields: new Map<string, { type: CelType; jsonName?: string }>([
    ["name", { type: "string" }],
    ["weight", { type: "double" }],
    ["__in__", { type: "int", jsonName: "in" }],
  ]),
};

test("objects with a schema have only the fields of their schema, converted by their types", () => {
  const typed = new CelEnvironment({ variables: { self: container } });
  const self = { name: "a", weight: 2, in: 5, hidden: true };
  assert.equal(typed.compile("self.weight / 4.0 == 0.5 && self.__in__ + 1 == 6 && has(self.name)").evaluate({ self }), true);
  assert.equal(typed.compile("self == self && [self].exists(x, x == self)").evaluate({ self }), true);
  assert.throws(() => typed.compile("self.hidden"), /:1:5: undefined field 'hidden'/);
});

test("lists compare as their schema says", () => {
  const set: CelType = { kind: "list", element: "string", equality: { by: "set" } };
  const map: CelType = { kind: "list", element: container, equality: { by: "map", keys: ["name"] } };
  const typed = new CelEnvironment({ variables: { a: set, b: set, c: map, d: map } });
  const evaluation = { a: ["x", "y"], b: ["y", "x"], c: [{ name: "a", in: 1 }, { name: "b" }], d: [{ name: "b" }, { name: "a", in: 1 }] };
  assert.equal(typed.compile("a == b && c == d").evaluate(evaluation), true);
  assert.deepEqual(typed.compile("(a + b).size()").evaluate(evaluation), 2);
  assert.deepEqual(typed.compile("(c + [d[1]]).size()").evaluate(evaluation), 2);
});

test("struct literals build objects of declared types", () => {
  const spec: CelObjectType = { kind: "object", name: "Object.spec", fields: new Map([["replicas", { type: "int" }]]) };
  const object: CelObjectType = { kind: "object", name: "Object", fields: new Map([["spec", { type: spec }]]) };
  const typed = new CelEnvironment({ variables: {}, structs: [object, spec] });
  assert.deepEqual(typed.compile("Object{spec: Object.spec{replicas: 1 + 1}}").evaluate({}), { spec: { replicas: 2 } });
  assert.throws(
    () => typed.compile("Object{spec: Object.spec{replicas: 'x'}}"),
    /expected type of field 'replicas' is 'int' but provided type is 'string'/,
  );
  assert.throws(() => typed.compile("Object{foo: 1}"), /undefined field 'foo'/);
});

test("getters are read only when the expression asks for them", () => {
  const lazy = {
    self: {
      get cheap() {
        return 1;
      },
      get dear(): never {
        throw new Error("read");
      },
    },
  };
  assert.equal(environment.compile("self.cheap == 1 || self.dear").evaluate(lazy), true);
});

test("the work of an evaluation is bounded", () => {
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  const program = environment.compile("self.all(x, self.all(y, self.all(z, x + y + z >= 0)))");
  assert.throws(() => program.evaluate({ self: numbers }), /^Error: operation cancelled: actual cost limit exceeded$/);
  assert.throws(
    () => environment.compile("self.exists(x, x > 99) || true").evaluate({ self: numbers }, { costLimit: 50 }),
    /cost limit exceeded/,
  );
});

test("the authorizer is asked what the expression has put together", () => {
  const asked: AuthorizerQuestion[] = [];
  const authorizer = celAuthorizer((question) => {
    asked.push(question);
    return { allowed: question.verb === "get", reason: "because" };
  });
  const typed = new CelEnvironment({ variables: { authorizer: authorizerType }, authorizer: true });
  const program = typed.compile(
    "authorizer.group('apps').resource('deployments').subresource('scale').namespace('n').name('x').check('get').allowed()",
  );
  assert.equal(program.evaluate({ authorizer }), true);
  assert.deepEqual(asked, [{ group: "apps", resource: "deployments", subresource: "scale", namespace: "n", name: "x", verb: "get" }]);
  assert.equal(
    typed.compile("authorizer.serviceAccount('ns', 'sa').path('/healthz').check('post').reason()").evaluate({ authorizer }),
    "because",
  );
  assert.deepEqual(asked.at(-1)?.serviceAccount, { namespace: "ns", name: "sa" });
});

test("what is nested or chained deeper than cel-go takes does not compile", () => {
  const typed = new CelEnvironment({ variables: { self: "dyn" } });
  for (const [first, again] of [
    ["self", ".x"],
    ["self", "[0]"],
    ["1", " + 1"],
    ["'a'", ".trim()"],
  ] as const) {
    assert.ok(typed.compile(first + again.repeat(200)).maxCost({}) >= 0);
    assert.throws(() => typed.compile(first + again.repeat(5_000)), /expression recursion limit exceeded: 250/);
  }
  assert.throws(() => typed.compile(`${"!".repeat(5_000)}true`), /expression recursion limit exceeded: 250/);
});

test("chains of && and || may be long, and mean what they did grouped from the left", () => {
  const typed = new CelEnvironment({ variables: { self: "dyn" } });
  for (const [first, again, expected] of [
    ["false", " || self.x == 1", true],
    ["true", " && self.x == 1", true],
    ["false", " || self.x == 2", false],
  ] as const) {
    assert.equal(typed.compile(first + again.repeat(5_000)).evaluate({ self: { x: 1n } }), expected);
  }
  assert.equal(typed.compile("self.missing || false || self.x == 1 || self.missing").evaluate({ self: { x: 1n } }), true);
  assert.throws(() => typed.compile("false || self.missing || false").evaluate({ self: { x: 1n } }), /no such key: missing/);
});
