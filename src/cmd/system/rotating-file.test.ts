import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { RotatingFile } from "./rotating-file.ts";

test("a file that has grown large is put aside, and the oldest of those are removed", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-rotating-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const clock = new VirtualClock();
  const path = join(directory, "audit.log");
  const file = new RotatingFile({ path, maxBytes: 10, maxBackups: 2, clock });
  for (let i = 0; i < 5; i++) {
    file.write(`line ${i}`);
    await clock.advance(1000);
  }
  file.close();
  const text = (name: string) => readFileSync(join(directory, name), "utf8");
  assert.deepEqual(readdirSync(directory).sort().map(text), ["line 2\n", "line 3\n", "line 4\n"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file that is there is written on", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-rotating-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const options = { path: join(directory, "a", "audit.log"), maxBytes: 100, maxBackups: 1, clock: new VirtualClock() };
  for (const line of ["one", "two"]) {
    const file = new RotatingFile(options);
    file.write(line);
    file.close();
  }
  assert.equal(readFileSync(options.path, "utf8"), "one\ntwo\n");
});
