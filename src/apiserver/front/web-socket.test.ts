import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { StatusError } from "../../machinery/index.ts";
import { acceptStreams, acceptWebSocket } from "./web-socket.ts";

const shaken = {
  upgrade: "websocket",
  connection: "upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": Buffer.alloc(16).toString("base64"),
};

/** An exchange with these headers, and what its client is answered. */
function exchangeOf(headers: Readonly<Record<string, string>>) {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  const exchange = { request: { method: "GET", headers }, upgrade: { socket, head: Buffer.alloc(0) } };
  return { exchange: exchange as unknown as Parameters<typeof acceptStreams>[0], socket, answer: () => Buffer.concat(written).toString() };
}

test("streams are accepted by names that are no tokens, too", async () => {
  const protocol = "SPDY/3.1+portforward.k8s.io";
  const { exchange, answer } = exchangeOf({ ...shaken, "sec-websocket-protocol": protocol });
  await acceptStreams(exchange, protocol);
  assert.match(answer(), /^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io\r\n/s);
});

test("what is no handshake is refused, and nothing is answered past the Status", async () => {
  for (const wrong of [{ "sec-websocket-key": "short" }, { "sec-websocket-version": "7" }, { "sec-websocket-protocol": "a/b" }]) {
    const { exchange, answer } = exchangeOf({ ...shaken, ...wrong });
    await assert.rejects(acceptWebSocket(exchange), (error) => error instanceof StatusError && error.status.reason === "BadRequest");
    assert.equal(answer(), "");
  }
});

test("a client that has gone before it is accepted is refused", async () => {
  const { exchange, socket } = exchangeOf(shaken);
  socket.destroy();
  await assert.rejects(acceptWebSocket(exchange), /was closed before/);
});
