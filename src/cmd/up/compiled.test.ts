import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fingerprint } from "./compiled.ts";

test("sources are compiled anew when a file of theirs was replaced, and not otherwise", () => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-sources-"));
  try {
    const folder = join(directory, "api", "core");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "pod.ts"), "1");
    utimesSync(folder, 1, 1);
    const before = fingerprint(directory);
    assert.equal(fingerprint(directory), before);
    writeFileSync(join(folder, "pod.ts.new"), "2");
    renameSync(join(folder, "pod.ts.new"), join(folder, "pod.ts"));
    assert.notEqual(fingerprint(directory), before);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
