import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { garbageCollector, HeapTidier } from "./heap-tidier.ts";

const MB = 2 ** 20;

test("garbage is collected once a busy node has become quiet, and only when there is much", async () => {
  const clock = new VirtualClock();
  let usedBytes = 60 * MB;
  const collectedAtMs: number[] = [];
  const collect = () => {
    collectedAtMs.push(clock.monotonic());
    usedBytes = 40 * MB;
  };
  const tidier = new HeapTidier({ clock, used: () => usedBytes, collect });
  for (let second = 0; second < 10; second++) {
    tidier.stir();
    await clock.advance(1_000);
  }
  assert.deepEqual(collectedAtMs, [], "while it is busy, nothing is held up");
  await clock.advance(60_000);
  assert.deepEqual(collectedAtMs, [13_000]);
  usedBytes = 50 * MB;
  tidier.stir();
  await clock.advance(60_000);
  assert.equal(collectedAtMs.length, 1, "a little garbage stays");
});

test("the collector frees what nobody holds", () => {
  const collect = garbageCollector();
  let held: object | undefined = { text: "held" };
  const seen = new WeakRef(held);
  held = undefined;
  return new Promise<void>((resolve) => {
    // A weak reference holds on until the turn is over.
    setImmediate(() => {
      collect();
      assert.equal(seen.deref(), undefined);
      resolve();
    });
  });
});
