import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { StoredWatchEvent } from "../../api/index.ts";
import { builtInCatalog } from "../../api/index.ts";
import type { FrontResponse } from "./exchange.ts";
import { storedObject } from "./fake-server.ts";
import { objectFrames, tableFrames, writeWatch } from "./watch-writer.ts";

const resource = builtInCatalog().find("", "v1", "configmaps") ?? assert.fail();
const stored = (name: string, bytes = 0) =>
  storedObject({ kind: "ConfigMap", apiVersion: "v1", metadata: { name }, data: { text: "x".repeat(bytes) } } as never);

/** A response of HTTP/2 whose client reads only when told to. */
class SlowResponse extends EventEmitter {
  readonly written: (Uint8Array | string)[] = [];
  statusCode = 200;
  readonly headersSent = false;
  readonly writableEnded = false;
  setHeader(): void {}
  writeHead(): void {}
  end(): void {}
  destroy(): void {}
  write(chunk: Uint8Array | string): boolean {
    this.written.push(chunk);
    return false;
  }
}

function watch(batches: StoredWatchEvent[][], response = new SlowResponse()) {
  const encode = objectFrames(resource, "json");
  const source = (async function* () {
    yield* batches;
  })();
  const { signal } = new AbortController();
  const answer = { batches: source, encode, format: "json" as const, signal, sent: () => {} };
  return { response, done: writeWatch(response as unknown as FrontResponse, answer) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what is there at first is sent in large pieces, no faster than the client reads", async () => {
  const events = Array.from({ length: 100 }, (_, n): StoredWatchEvent => ({ type: "ADDED", stored: stored(`cm-${n}`, 10_000) }));
  const { response, done } = watch([events]);
  await turn();
  assert.equal(response.written.length, 1);
  for (let pieces = 1; pieces < 4; pieces++) {
    assert.equal(response.written.length, pieces);
    response.emit("drain");
    await turn();
  }
  response.emit("drain");
  await done;
  const lines = Buffer.concat(response.written.map((piece) => Buffer.from(piece)))
    .toString()
    .trimEnd()
    .split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).object.metadata.name),
    events.map((_, n) => `cm-${n}`),
  );
});

test("watches get the same bytes of a change while it is recent, and each its own of what was there before", async () => {
  const one = stored("a");
  const change = {};
  const written = [];
  for (const event of [
    { type: "ADDED", stored: one, change },
    { type: "ADDED", stored: one, change },
    { type: "MODIFIED", stored: one, change },
    { type: "ADDED", stored: one },
  ] as const) {
    const { response, done } = watch([[event]]);
    await turn();
    response.emit("drain");
    await done;
    written.push(response.written[0]);
  }
  assert.equal(written[0], written[1]);
  assert.notEqual(written[0], written[2]);
  assert.notEqual(written[0], written[3]);
  assert.deepEqual(written[0], written[3]);
});

test("watches that take the same changes at once get them in the same bytes", async () => {
  const events = ["a", "b", "c"].map((name): StoredWatchEvent => ({ type: "ADDED", stored: stored(name), change: {} }));
  const written = [];
  for (const batch of [events, events, events.slice(0, 2)]) {
    const { response, done } = watch([batch]);
    await turn();
    response.emit("drain");
    await done;
    assert.equal(response.written.length, 1);
    written.push(response.written[0]);
  }
  assert.equal(written[0], written[1]);
  assert.notDeepEqual(written[0], written[2]);
});

test("the table of a change is made once for all who ask in the same second", () => {
  let nowMs = 0;
  let made = 0;
  const columns = [{ name: "Made", type: "integer" as const, cell: () => ++made }];
  const counted = { ...resource, strategy: { ...resource.strategy, columns } };
  const framesOf = () => tableFrames(counted, { include: "Metadata" }, () => nowMs);
  const [first, second] = [framesOf(), framesOf()];
  const event = (name: string): StoredWatchEvent => ({ type: "ADDED", stored: stored(name), change: {} });
  for (const frames of [first, second]) assert.match(String(frames(event("a"))), /"columnDefinitions":\[\{/);
  const change = event("b");
  const frame = first(change);
  assert.match(String(frame), /"columnDefinitions":\[\]/);
  nowMs = 999;
  assert.equal(second(change), frame);
  assert.equal(made, 3);
  nowMs = 1000;
  assert.notEqual(second(change), frame);
});
