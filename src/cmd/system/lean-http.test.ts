import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

test("a process that imports node:http does without Node's own HTTP client, and can still fetch", () => {
  const script = `
    (await import("./lean-http.ts")).leanHttp();
    await import("node:http");
    const hasClient = () => process.moduleLoadList.some((name) => name.includes("undici/undici"));
    const before = hasClient();
    await (await fetch("data:,hello")).text();
    console.log(before, hasClient());`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: import.meta.dirname, encoding: "utf8" });
  assert.equal(output.trim(), "false true");
});
