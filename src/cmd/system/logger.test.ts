import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLogger } from "./logger.ts";

test("an error is logged with what it says and where it comes from", () => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-log-"));
  try {
    const file = join(directory, "server.log");
    createLogger({ name: "server", level: "info", file })
      .child({ controller: "job" })
      .warn("cannot", { error: new TypeError("no such thing") });
    const { msg, controller, error } = JSON.parse(readFileSync(file, "utf8"));
    assert.deepEqual([msg, controller, error.type, error.message], ["cannot", "job", "TypeError", "no such thing"]);
    assert.match(error.stack, /logger\.test\.ts/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
