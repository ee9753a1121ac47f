// What comes over connections: DNS answers of name servers, SPDY frames of a kubelet.
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { encode, RECURSION_DESIRED } from "dns-packet";
import { SpdyConnection } from "../../../../src/apiserver/front/streams/spdy-connection.ts";
import { answerTo, lifetimeOf } from "../../../../src/network/dns/wire.ts";
import { type FuzzTarget, neverThrows } from "../target.ts";

const answer = encode({
  type: "response",
  id: 7,
  flags: RECURSION_DESIRED,
  questions: [{ type: "A", name: "example.com" }],
  answers: [{ type: "A", name: "example.com", ttl: 300, data: "10.0.0.1" }],
  authorities: [
    { type: "SOA", name: "com", ttl: 60, data: { mname: "a", rname: "b", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 } },
  ],
});

/** A frame of stream 1; the flag says that it is the last. */
const dataFrame = (text: string, flag: number) => Buffer.from([0, 0, 0, 1, flag, 0, 0, text.length, ...Buffer.from(text)]);
const controlFrame = (type: number, payload: readonly number[]) => Buffer.from([0x80, 3, 0, type, 0, 0, 0, payload.length, ...payload]);

async function receiveSpdy(input: Buffer): Promise<void> {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const stream = new SpdyConnection(socket).open({ streamtype: "data" });
  let problem: unknown;
  stream.on("error", (error) => {
    problem = error;
  });
  stream.resume();
  socket.push(input);
  await nextTurn();
  socket.destroy();
  if (problem !== undefined) throw problem;
}

export const packetTargets: readonly FuzzTarget[] = [
  {
    name: "dns-answer",
    corpus: [answer],
    words: ["\xc0\x0c", "\0", "\x3f"],
    run: (input) => {
      const lifetime = lifetimeOf(input);
      const copy = answerTo(Buffer.of(1, 2), input, lifetime, 10);
      assert.equal(copy.length, input.length);
      assert(lifetime.ttlSeconds >= 0);
    },
    isRefusal: neverThrows,
  },
  {
    name: "spdy",
    corpus: [
      Buffer.concat([dataFrame("a", 0), dataFrame("b", 1)]),
      Buffer.concat([controlFrame(6, [0, 0, 0, 2]), dataFrame("x", 0), controlFrame(3, [0, 0, 0, 1, 0, 0, 0, 1])]),
    ],
    words: ["\0\0\0\x01", "\x80\x03\0", "\x01", "\xff\xff\xff"],
    run: receiveSpdy,
    isRefusal: neverThrows,
  },
];
