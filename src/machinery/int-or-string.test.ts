import assert from "node:assert/strict";
import { test } from "node:test";
import { scaledValue } from "./int-or-string.ts";

test("a percentage is taken of the total and rounded as asked", () => {
  assert.equal(scaledValue(3, 10), 3);
  assert.equal(scaledValue("25%", 10), 2);
  assert.equal(scaledValue("25%", 10, { roundUp: true }), 3);
  assert.equal(scaledValue("100%", 7, { roundUp: true }), 7);
});

test("a text that is no percentage is refused", () => {
  assert.throws(() => scaledValue("3", 10), { message: "invalid value for IntOrString: invalid type: string is not a percentage" });
  assert.throws(() => scaledValue("a%", 10), /invalid value "a%"/);
});
