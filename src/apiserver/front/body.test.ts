import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson, parseYaml } from "./body.ts";

test("what stands twice in a body is told, and the last one counts", () => {
  const json: string[] = [];
  const value = parseJson(Buffer.from('{"spec": {"paused": true, "paused": false, "list": [{"a": 1, "a": 2}]}}'), json);
  assert.deepEqual(value, { spec: { paused: false, list: [{ a: 2 }] } });
  assert.deepEqual(json, ['duplicate field "spec.paused"', 'duplicate field "spec.list[0].a"']);
  const yaml: string[] = [];
  assert.deepEqual(parseYaml(Buffer.from('spec:\n  paused: true\n  "paused": false\n'), yaml), { spec: { paused: false } });
  assert.deepEqual(yaml, ['line 3: key "paused" already set in map']);
});

test("nobody looks for duplicates when nobody wants to know", () => {
  assert.deepEqual(parseJson(Buffer.from('{"a":1,"a":2}')), { a: 2 });
  assert.deepEqual(parseYaml(Buffer.from("a: 1\na: 2\n")), { a: 2 });
  const none: string[] = [];
  parseJson(Buffer.from('{"a":1,"b":"\\u003c"}\n'), none);
  assert.deepEqual(none, []);
});
