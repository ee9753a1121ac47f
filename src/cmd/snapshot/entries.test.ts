import assert from "node:assert/strict";
import { it } from "node:test";
import { SnapshotError } from "./archive.ts";
import { parseEntries } from "./entries.ts";

async function* linesOf(...lines: string[]): AsyncIterable<string> {
  yield* lines;
}

it("a line that is no entry is refused, whatever JSON it is", async () => {
  const long = JSON.stringify({ key: `/${"a".repeat(2_000)}`, value: "", createRevision: 1, modRevision: 1 });
  for (const line of [long, "null", "1", "[]", "{}", "{", '{"key":"/a","value":"","createRevision":0,"modRevision":1}']) {
    await assert.rejects(Array.fromAsync(parseEntries(linesOf(line))), SnapshotError, line);
  }
});
