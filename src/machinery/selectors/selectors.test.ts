import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatLabelSelector, labelSelectorMatcher, labelSetMatcher, parseFieldSelector, parseLabelSelector } from "../selectors.ts";

test("every operator of the set-based grammar is judged", () => {
  const cases: [string, Record<string, string>, boolean][] = [
    ["", { a: "1" }, true],
    ["a", { a: "" }, true],
    ["a", {}, false],
    ["!a", {}, true],
    ["!a", { a: "1" }, false],
    ["a=1", { a: "1" }, true],
    ["a==1", { a: "2" }, false],
    ["a!=1", {}, true],
    ["a!=1", { a: "1" }, false],
    ["a in (1, 2)", { a: "2" }, true],
    ["a in (1,2)", {}, false],
    ["a notin (1)", {}, true],
    ["a notin (1)", { a: "1" }, false],
    ["a>5", { a: "10" }, true],
    ["a<5", { a: "10" }, false],
    ["a>5", { a: "x" }, false],
    ["a=", { a: "" }, true],
    ["in in (in,notin)", { in: "notin" }, true],
    ["x in (a,,b), y, z notin ()", { x: "", y: "1", z: "2" }, true],
    ["x in (a,)", { x: "" }, true],
  ];
  for (const [text, labels, expected] of cases) assert.equal(parseLabelSelector(text).matches(labels), expected, text);
});

test("a selector that cannot be understood is refused with upstream's words", () => {
  const cases: Record<string, string> = {
    "a b": "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "a=1,": "found '', expected: identifier after ','",
    ",a": "found ',', expected: !, identifier, or 'end of string'",
    "a in 1": "unable to parse requirement: found '1' expected: '('",
    "a=1 b": "found 'b', expected: ',' or 'end of string'",
    "a in (1": "unable to parse requirement: found '', expected: ',' or ')'",
    "a>x": `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
  };
  for (const [text, message] of Object.entries(cases)) assert.throws(() => parseLabelSelector(text), { message }, text);
  assert.throws(
    () => parseLabelSelector("a=-x"),
    /^SelectorError|unable to parse requirement: values\[0\]\[a\]: Invalid value: "-x": a valid label/,
  );
  assert.throws(() => parseLabelSelector("-a=x"), /unable to parse requirement: <nil>: Invalid value: "-a": name part must consist/);
});

test("no selector selects nothing, an empty one everything", () => {
  assert.equal(labelSelectorMatcher(undefined).matches({ a: "1" }), false);
  assert.equal(labelSelectorMatcher({}).matches(undefined), true);
  assert.equal(labelSelectorMatcher({}).isEverything, true);
  assert.equal(labelSetMatcher({ a: "1" }).matches({ a: "1", b: "2" }), true);
});

test("a selector object is written as upstream writes it", () => {
  const selector = {
    matchLabels: { b: "1" },
    matchExpressions: [
      { key: "a", operator: "In", values: ["y", "x"] },
      { key: "c", operator: "DoesNotExist" },
    ],
  };
  assert.equal(formatLabelSelector(selector), "a in (x,y),b=1,!c");
  assert.equal(formatLabelSelector({}), "<none>");
  assert.equal(formatLabelSelector(undefined), "<none>");
  assert.equal(formatLabelSelector({ matchExpressions: [{ key: "a", operator: "Like" }] }), "<error>");
  assert.equal(labelSelectorMatcher(selector).exactValue("b"), "1");
});

test("the text of a selector parses to the same selector", () => {
  const name = fc.constantFrom("a", "b", "c.io/d", "in");
  const values = fc.uniqueArray(fc.constantFrom("", "x", "y1", "notin"), { minLength: 1, maxLength: 3 });
  const expression = fc.record({ key: name, operator: fc.constantFrom("In", "NotIn"), values });
  fc.assert(
    fc.property(fc.array(expression, { maxLength: 4 }), fc.dictionary(name, fc.constantFrom("", "x", "y1")), (matchExpressions, labels) => {
      const matcher = labelSelectorMatcher({ matchExpressions });
      const again = parseLabelSelector(matcher.toString());
      assert.equal(again.toString(), matcher.toString());
      assert.equal(again.matches(labels), matcher.matches(labels));
    }),
  );
});

test("field selectors know =, ==, != and escapes", () => {
  const selector = parseFieldSelector("metadata.name=a\\,b\\=c,spec.nodeName!=n,status.phase==Running");
  assert.deepEqual(selector.terms, [
    { field: "metadata.name", operator: "=", value: "a,b=c" },
    { field: "spec.nodeName", operator: "!=", value: "n" },
    { field: "status.phase", operator: "=", value: "Running" },
  ]);
  const fields: Record<string, string> = { "metadata.name": "a,b=c", "status.phase": "Running" };
  assert.equal(
    selector.matches((name) => fields[name] ?? ""),
    true,
  );
  assert.equal(selector.exactValue("metadata.name"), "a,b=c");
  assert.equal(parseFieldSelector(selector.toString()).toString(), selector.toString());
  assert.equal(parseFieldSelector("").isEverything, true);
});

test("a field selector without an operator is refused", () => {
  assert.throws(() => parseFieldSelector("a=1,b"), { message: "invalid selector: 'a=1,b'; can't understand 'b'" });
  assert.throws(() => parseFieldSelector("a=1=2"), { message: "invalid field selector: unescaped character in value: 1=2" });
  assert.throws(() => parseFieldSelector("a=\\x"), { message: "invalid field selector: invalid escape sequence: \\x" });
});
