import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeProtobuf, encodeEnvelope, encodeMessage, StatusError } from "../machinery/index.ts";
import { objectOf } from "./arbitrary-object.fixture.ts";
import { resourceRows, typeFacts } from "./index.ts";

for (const { type, kind, group, version } of resourceRows) {
  test(`${group || "core"}/${version} ${kind} is the same after protobuf`, () => {
    const facts = typeFacts(type);
    const property = fc.property(objectOf(facts, 3), (object) => {
      const body = encodeEnvelope(version, kind, encodeMessage(object, facts));
      assert.deepEqual(
        decodeProtobuf(body, () => facts),
        { kind, apiVersion: version, ...object },
      );
    });
    fc.assert(property, { numRuns: 20, seed: 1 });
  });
}

/** A length-delimited field. */
function part(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.byteLength]), bytes]);
}

const envelope = (kind: string, message: Buffer) => {
  return Buffer.concat([Buffer.from("k8s\0"), part(1, Buffer.concat([part(1, "v1"), part(2, kind)])), part(2, message)]);
};

test("an object in protobuf becomes what it is in JSON: maps, bytes, and no empty strings or times", () => {
  const metadata = Buffer.concat([part(1, "s"), part(2, ""), part(8, ""), part(11, Buffer.concat([part(1, "app"), part(2, "")]))]);
  const secret = Buffer.concat([part(1, metadata), part(2, Buffer.concat([part(1, "key"), part(2, "value")])), part(3, "Opaque")]);
  assert.deepEqual(
    decodeProtobuf(envelope("Secret", secret), () => typeFacts("core.v1.Secret")),
    { kind: "Secret", apiVersion: "v1", metadata: { name: "s", labels: { app: "" } }, data: { key: "dmFsdWU=" }, type: "Opaque" },
  );
});

test("what Go embeds is a message of its own: a volume's source stands in field 2", () => {
  const message = encodeMessage({ name: "v", hostPath: { path: "/x" } }, typeFacts("core.v1.Volume"));
  assert.deepEqual(Buffer.from(message), Buffer.concat([part(1, "v"), part(2, part(1, part(1, "/x")))]));
});

test("a body that is cut off or no protobuf is a bad request", () => {
  const decode = (body: Buffer) => () => decodeProtobuf(body, () => typeFacts("core.v1.Secret"));
  assert.throws(decode(Buffer.from("{}")), /does not appear to be a protobuf message/);
  assert.throws(decode(Buffer.from([...Buffer.from("k8s\0"), 0x12, 0x20, 0x0a])), /unable to decode the protobuf body/);
});

test("messages inside of messages without end are a bad request, too", () => {
  const facts = typeFacts("apiextensions.v1.JSONSchemaProps");
  let message = Buffer.from(encodeMessage({ title: "x" }, facts));
  const heads: Buffer[] = [];
  for (let depth = 0, length = message.byteLength; depth < 100_000; depth++) {
    const head = varint(length);
    heads.push(Buffer.concat([Buffer.from([0xe2, 0x01]), head]));
    length += 2 + head.byteLength;
  }
  message = Buffer.concat([...heads.reverse(), message]);
  const typeMeta = part(1, Buffer.concat([part(1, "v1"), part(2, "X")]));
  const body = Buffer.concat([Buffer.from("k8s\0"), typeMeta, Buffer.from([0x12]), varint(message.byteLength), message]);
  assert.throws(() => decodeProtobuf(body, () => facts), /unable to decode the protobuf body/);
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

test("bytes of any kind are an object or a bad request, and nothing else", () => {
  const facts = typeFacts("core.v1.Pod");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const body = encodeEnvelope("v1", "Pod", bytes);
      try {
        assert.equal(decodeProtobuf(body, () => facts)["kind"], "Pod");
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 400, String(error));
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});
