import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentEntries } from "./recent-entries.ts";

const entry = (key: string, modRevision: number) => ({ key, value: new Uint8Array(), createRevision: 1, modRevision });

test("the last entries are known as they were set last, deletions too, and older ones are forgotten", () => {
  const recent = new RecentEntries();
  recent.set("first", entry("first", 1));
  recent.set("kept", entry("kept", 1));
  for (let n = 0; n < 2100; n++) recent.set(`a${n}`, entry(`a${n}`, n));
  assert.equal(recent.get("first")?.modRevision, 1);
  recent.set("kept", undefined);
  assert.deepEqual([recent.has("kept"), recent.get("kept")], [true, undefined]);
  for (let n = 0; n < 4200; n++) recent.set(`b${n}`, entry(`b${n}`, n));
  assert.deepEqual([recent.has("first"), recent.has("b4199"), recent.get("b4199")?.modRevision], [false, true, 4199]);
});
