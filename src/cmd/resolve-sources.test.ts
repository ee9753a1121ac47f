import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveSourcesDirectly } from "./resolve-sources.ts";

test("what is found directly is the same module as before, and packages are found as ever", async () => {
  const before = await import("./config/layout.ts");
  resolveSourcesDirectly();
  const again: unknown = await import(String("./config/../config/layout.ts"));
  assert.equal(again, before);
  assert.equal(typeof (await import("commander")).Command, "function");
});
