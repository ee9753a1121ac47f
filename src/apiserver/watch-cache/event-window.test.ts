import assert from "node:assert/strict";
import { test } from "node:test";
import { CacheEntry } from "./cache-entry.ts";
import { EventWindow, type EventWindowOptions, WatchRecord } from "./event-window.ts";
import { SharedFieldSets } from "./field-sets.ts";

const roomy: EventWindowOptions = { capacity: 1000, maxAgeMs: 1000, maxBytes: 2 ** 20, maxReadyBytes: 2 ** 20 };

/** The states of one object at revisions 1, 2, …; all of the same length. */
function states(count: number): CacheEntry[] {
  const value = (n: number) => Buffer.from(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"n":${1000 + n}}`);
  const making = { sets: new SharedFieldSets(), share: () => {}, freeze: () => {} };
  return Array.from(
    { length: count },
    (_, n) => new CacheEntry({ key: "a", value: value(n), modRevision: n + 1, createRevision: 1 }, making),
  );
}

const windowOf = (entries: readonly CacheEntry[], options: Partial<EventWindowOptions>) => {
  const window = new EventWindow(0, { ...roomy, ...options });
  entries.forEach((current, n) => {
    window.append(new WatchRecord({ key: "a", revision: n + 1, current, previous: entries[n - 1], atMs: 0 }));
  });
  return window;
};

test("old events go when the stored bytes are too many, but never the youngest hundred", () => {
  const entries = states(300);
  const size = entries[0]?.value.byteLength ?? 0;
  assert.equal(windowOf(entries, { maxBytes: 150 * size }).forgottenRevision, 150);
  assert.equal(windowOf(entries, { maxBytes: 10 * size }).forgottenRevision, 200);
});

test("an event beyond the ready bytes lets go of what was made of it, and makes it again when asked", () => {
  const entries = states(20);
  const made = entries.map(({ object }) => object);
  const window = windowOf([], { maxReadyBytes: 5 * (entries[0]?.value.byteLength ?? 0) });
  const records = entries.map((current, n) => new WatchRecord({ key: "a", revision: n + 1, current, previous: entries[n - 1], atMs: 0 }));
  const changes = records.map(({ change }) => change);
  for (const record of records) window.append(record);
  const isKept = records.map(({ change }, n) => change === changes[n]);
  assert.deepEqual(isKept, [...Array(15).fill(false), ...Array(5).fill(true)]);
  const isHeld = entries.map(({ object }, n) => object === made[n]);
  assert.deepEqual(isHeld, [...Array(14).fill(false), ...Array(6).fill(true)]);
  assert.deepEqual(
    entries.map(({ object }) => object),
    made,
  );
});

test("the state that stands keeps its object however old its event is", () => {
  const [only] = states(1);
  assert.ok(only !== undefined);
  const { object } = only;
  const window = windowOf([only], { maxReadyBytes: 0 });
  const [later] = states(1);
  window.append(new WatchRecord({ key: "b", revision: 2, current: later, previous: undefined, atMs: 0 }));
  assert.equal(only.object, object);
});

test("a forgotten event is no longer reason to hold what late watchers made anew", () => {
  const entries = states(150);
  const window = windowOf(entries.slice(0, 110), { capacity: 110, maxReadyBytes: 0 });
  const again = entries[0]?.object;
  entries.slice(110).forEach((current, n) => {
    window.append(new WatchRecord({ key: "a", revision: n + 111, current, previous: entries[n + 109], atMs: 0 }));
  });
  assert.notEqual(entries[0]?.object, again);
});
