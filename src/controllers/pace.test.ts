import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/index.ts";
import { Pace } from "./pace.ts";

test("a key that was not looked at does not rest", () => {
  assert.equal(new Pace(new VirtualClock()).restMs("default/web"), 0);
});

test("the rest grows with the objects of the look and has an end", async () => {
  const clock = new VirtualClock();
  const pace = new Pace(clock);
  pace.looked("default/web", 2000);
  assert.equal(pace.restMs("default/web"), 1000);
  assert.equal(pace.restMs("default/other"), 0);
  await clock.advance(600);
  assert.equal(pace.restMs("default/web"), 400);
  await clock.advance(400);
  assert.equal(pace.restMs("default/web"), 0);
  pace.looked("default/large", 1_000_000);
  pace.looked("default/small", 100);
  assert.deepEqual([pace.restMs("default/large"), pace.restMs("default/small")], [2000, 200]);
});

test("keys that are busy at the same time share what there is", async () => {
  const clock = new VirtualClock();
  const pace = new Pace(clock, 0.05);
  pace.looked("default/a", 2000);
  pace.looked("default/b", 2000);
  assert.deepEqual([pace.restMs("default/a"), pace.restMs("default/b")], [100, 200]);
  await clock.advance(150);
  pace.looked("default/c", 2000);
  assert.equal(pace.restMs("default/c"), 200, "one of them has rested");
});

test("a look that took long is followed by a longer rest", () => {
  const pace = new Pace(new VirtualClock());
  pace.looked("default/web", 2000, 100);
  pace.looked("default/slow", 2000, 1000);
  assert.deepEqual([pace.restMs("default/web"), pace.restMs("default/slow")], [5000, 10_000]);
});

test("a look at few objects ends the rest", () => {
  const pace = new Pace(new VirtualClock());
  pace.looked("default/web", 2000);
  pace.looked("default/web", 3);
  assert.equal(pace.restMs("default/web"), 0);
});
