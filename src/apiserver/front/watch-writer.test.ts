import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { StoredWatchEvent } from "../../api/index.ts";
import { builtInCatalog } from "../../api/index.ts";
import type { FrontResponse } from "./exchange.ts";
import { storedObject } from "./fake-server.ts";
import { objectFrames, writeWatch } from "./watch-writer.ts";

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
