import assert from "node:assert/strict";
import { test } from "node:test";
import { isBelow } from "./files.ts";

test("a path that only begins like the directory, or leads out of it again, is not below it", () => {
  assert.equal(isBelow("/logs", "/logs/a_b_c/main/0.log"), true);
  assert.equal(isBelow("/logs/", "/logs/x/../y"), true);
  for (const path of ["/logs", "/logs/../etc/passwd", "/logs/a/../../etc", "/logs-other/a", "/etc/passwd", ""]) {
    assert.equal(isBelow("/logs", path), false, path);
  }
});
