import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { constants, createInflate } from "node:zlib";
import { SpdyConnection } from "./spdy-connection.ts";

interface Frame {
  readonly head: number;
  readonly flags: number;
  readonly payload: Buffer;
}

const FIN = 1;
const PING = 0x8003_0006;
const RST_STREAM = 0x8003_0003;

function frame(head: number, payload: string | Buffer, flags = 0): Buffer {
  const bytes = Buffer.from(payload);
  const start = Buffer.alloc(8);
  start.writeUInt32BE(head >>> 0, 0);
  start.writeUInt32BE(bytes.byteLength, 4);
  start[4] = flags;
  return Buffer.concat([start, bytes]);
}

/** A connection, and the other end's socket with the frames that came there. */
function connected() {
  const [near, far] = duplexPair();
  const frames: Frame[] = [];
  let rest = Buffer.alloc(0);
  far.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.byteLength >= 8 && rest.byteLength >= 8 + (rest.readUInt32BE(4) & 0xff_ffff)) {
      const end = 8 + (rest.readUInt32BE(4) & 0xff_ffff);
      frames.push({ head: rest.readUInt32BE(0), flags: rest[4] ?? 0, payload: rest.subarray(8, end) });
      rest = rest.subarray(end);
    }
  });
  return { connection: new SpdyConnection(near), near, far, frames };
}

/** The names and values of header blocks that are one zlib stream. */
async function headersIn(blocks: readonly Buffer[]): Promise<string[][]> {
  const inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
  const all = blocks.map(async (block) => {
    const inflated = await new Promise<Buffer>((resolve) => {
      inflate.once("data", resolve);
      inflate.write(block);
    });
    const words: string[] = [];
    for (let at = 4; at < inflated.byteLength; ) {
      const end = at + 4 + inflated.readUInt32BE(at);
      words.push(inflated.toString("utf8", at + 4, end));
      at = end;
    }
    return words;
  });
  const found: string[][] = [];
  for (const each of all) found.push(await each);
  return found;
}

async function settled(far: Duplex, bytes: Buffer): Promise<void> {
  far.write(bytes);
  for (let i = 0; i < 5; i++) await turn();
}

describe("SpdyConnection", () => {
  it("opens streams with odd numbers and headers that any inflater reads", async () => {
    const { connection, frames } = connected();
    connection.open({ streamtype: "error" });
    connection.open({ streamtype: "stdin", port: "80" });
    await turn();
    await turn();
    const opened = frames.map(({ head, payload }) => [head.toString(16), payload.readUInt32BE(0)]);
    assert.deepEqual(opened, [
      ["80030001", 1],
      ["80030001", 3],
    ]);
    const [first] = await headersIn(frames.slice(0, 1).map(({ payload }) => payload.subarray(10)));
    assert.deepEqual(first, ["streamtype", "error"]);
  });

  it("sends data and the end of one stream, and goes on with the others", async () => {
    const { connection, frames } = connected();
    const [a, b] = [connection.open({ streamtype: "stdin" }), connection.open({ streamtype: "resize" })];
    a.write("to a");
    a.end();
    b.write("to b");
    for (let i = 0; i < 5; i++) await turn();
    const sent = frames.slice(2).map(({ head, flags, payload }) => [head, flags, payload.toString()]);
    assert.deepEqual(
      sent.filter(([id]) => id === 1),
      [
        [1, 0, "to a"],
        [1, FIN, ""],
      ],
    );
    assert.deepEqual(
      sent.filter(([id]) => id === 3),
      [[3, 0, "to b"]],
    );
  });

  it("reads what comes in pieces of any size, until the stream ends", async () => {
    const { connection, far } = connected();
    const [out, error] = [connection.open({ streamtype: "stdout" }), connection.open({ streamtype: "error" })];
    const both = Promise.all([text(out), text(error)]);
    const bytes = Buffer.concat([frame(1, "one "), frame(3, "", FIN), frame(1, "two"), frame(1, "", FIN)]);
    for (const byte of bytes) far.write(Buffer.from([byte]));
    assert.deepEqual(await both, ["one two", ""]);
  });

  it("keeps what came before the connection was closed", async () => {
    const { connection, far } = connected();
    const out = connection.open({ streamtype: "stdout" });
    await settled(far, Buffer.concat([frame(1, "last words"), frame(1, "", FIN)]));
    far.destroy();
    assert.equal(await text(out), "last words");
  });

  it("ends streams when the connection ends, after what has come on them", async () => {
    const { connection, far } = connected();
    const out = connection.open({ streamtype: "stdout" });
    await settled(far, frame(1, "cut o"));
    far.end();
    assert.equal(await text(out), "cut o");
    out.end("nobody hears it");
    await finished(out);
  });

  it("ends a stream that is reset, after what has come on it, and goes on with the others", async () => {
    const { connection, far, frames } = connected();
    const [a, b] = [connection.open({ streamtype: "stdout" }), connection.open({ streamtype: "error" })];
    const reset = frame(RST_STREAM, Buffer.from([0, 0, 0, 1, 0, 0, 0, 5]));
    await settled(far, Buffer.concat([frame(1, "some"), reset, frame(1, "late"), frame(3, "fine", FIN)]));
    assert.deepEqual([await text(a), await text(b)], ["some", "fine"]);
    a.write("nobody hears it");
    await turn();
    assert.equal(frames.length, 2);
  });

  it("answers pings", async () => {
    const { far, frames } = connected();
    await settled(far, frame(PING, Buffer.from([0, 0, 0, 2])));
    assert.deepEqual(frames, [{ head: PING, flags: 0, payload: Buffer.from([0, 0, 0, 2]) }]);
  });

  it("makes the other end wait while a stream is not read", async () => {
    const { connection, near, far } = connected();
    const out = connection.open({ streamtype: "stdout" });
    await settled(far, frame(1, "x".repeat(100_000)));
    assert.equal(near.isPaused(), true);
    out.resume();
    await turn();
    await turn();
    assert.equal(near.isPaused(), false);
  });

  it("breaks with an end that announces a frame of any size", async () => {
    const { connection, near, far } = connected();
    const out = connection.open({ streamtype: "stdout" });
    await settled(far, Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]));
    assert.equal(near.destroyed, true);
    assert.equal(await text(out), "");
  });
});
