// DNS messages as the responder gets them from clients, and the forwarder from name servers.
import assert from "node:assert/strict";
import { encode, RECURSION_DESIRED } from "dns-packet";
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
];
