import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "../../machinery/index.ts";
import { validateConditions } from "./conditions.ts";

const condition = (more: Partial<Condition> = {}): Condition => ({
  type: "Ready",
  status: "True",
  reason: "AllGood",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  ...more,
});
const paths = (...conditions: Condition[]) => validateConditions(conditions, "c").map(({ path, type }) => `${path} ${type}`);

test("a condition has a type of its own, a status, a reason in one word and a time", () => {
  assert.deepEqual(paths(condition(), condition({ type: "example.com/Other", status: "Unknown" })), []);
  assert.deepEqual(paths(condition(), condition()), ["c[1].type FieldValueDuplicate"]);
  assert.deepEqual(paths(condition({ type: "no spaces" })), ["c[0].type FieldValueInvalid"]);
  assert.deepEqual(paths(condition({ status: "Maybe" })), ["c[0].status FieldValueNotSupported"]);
  assert.deepEqual(paths(condition({ reason: "" })), ["c[0].reason FieldValueRequired"]);
  assert.deepEqual(paths(condition({ reason: "two words" })), ["c[0].reason FieldValueInvalid"]);
  assert.deepEqual(paths(condition({ lastTransitionTime: "" })), ["c[0].lastTransitionTime FieldValueRequired"]);
  assert.deepEqual(paths(condition({ observedGeneration: -1 })), ["c[0].observedGeneration FieldValueInvalid"]);
  assert.deepEqual(paths(condition({ message: "x".repeat(32 * 1024 + 1) })), ["c[0].message FieldValueTooLong"]);
});
