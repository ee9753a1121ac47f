import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactedError } from "./errors.ts";
import { History } from "./history.ts";
import type { StoreEntry, StoreEvent } from "./store.ts";

const entry = (key: string, modRevision: number): StoreEntry => ({ key, value: new Uint8Array(100), createRevision: 1, modRevision });

test("what deletions and updates replaced counts among the bytes that are kept", () => {
  const deletions = Array.from({ length: 10 }, (_, i): StoreEvent => {
    return { type: "delete", key: `k${i}`, revision: i + 2, previous: entry(`k${i}`, 1) };
  });
  const removed = new History({ startRevision: 1, maxBytes: 500 });
  removed.append(deletions);
  assert.throws(() => removed.checkRevision(5), CompactedError);
  removed.checkRevision(6);

  const updated = new History({ startRevision: 1, maxBytes: 500 });
  updated.append(
    Array.from({ length: 10 }, (_, i): StoreEvent => ({ type: "put", entry: entry("k", i + 2), previous: entry("k", i + 1) })),
  );
  assert.throws(() => updated.checkRevision(8), CompactedError);
  updated.checkRevision(9);
});
