import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeProtobuf,
  encodeEnvelope,
  encodeMessage,
  type FieldType,
  type ScalarType,
  StatusError,
  type TypeFacts,
} from "../machinery/index.ts";
import { resourceRows, typeFacts } from "./index.ts";

const text = fc.string({ minLength: 1, maxLength: 8, unit: "binary" });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const wholeTime = seconds.map((at) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`);

const scalars: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  string: text,
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boolean: fc.boolean(),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  time: wholeTime,
  microTime: fc.tuple(wholeTime, fc.nat(999_999)).map(([time, micros]) => `${time.slice(0, -1)}.${String(micros).padStart(6, "0")}Z`),
  quantity: fc.constantFrom("1", "250m", "1Gi"),
  intOrString: fc.oneof(fc.integer(), text),
  any: fc.dictionary(fc.constantFrom("a", "f:b"), fc.oneof(text, fc.integer()), { minKeys: 1, noNullPrototype: true }),
};

/** Values of a type as JSON has them, nothing in them empty: what is empty is left out in one form or the other. */
function arbitraryOf(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "scalar":
      return scalars[type.scalar];
    case "object":
      return objectOf(type.type, depth - 1);
    case "list":
      return fc.array(arbitraryOf(type.items, depth), { minLength: 1, maxLength: 2 });
    case "map":
      return fc.dictionary(text, arbitraryOf(type.values, depth), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  }
}

function objectOf(facts: TypeFacts, depth: number): fc.Arbitrary<object> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { name, type, protobufNumber, protobufUnion } of facts.fields.values()) {
    const isFlat = type.kind === "scalar" || (type.kind === "list" && type.items.kind === "scalar");
    if (protobufNumber === undefined || (!isFlat && depth <= 0)) continue;
    members[name] = protobufUnion === undefined ? arbitraryOf(type, depth) : unionOf(facts, protobufUnion, depth);
    if (facts.name.endsWith("JSONSchemaProps") && name === "dependencies") {
      members[name] = fc.dictionary(text, unionOf(facts, "strings", depth), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
    }
  }
  return fc.record(members, { requiredKeys: [], noNullPrototype: true });
}

function unionOf(schema: TypeFacts, union: "list" | "boolean" | "strings", depth: number): fc.Arbitrary<unknown> {
  const one: fc.Arbitrary<unknown> = objectOf(schema, Math.min(depth - 1, 0));
  const other: fc.Arbitrary<unknown> =
    union === "boolean" ? fc.boolean() : fc.array<unknown>(union === "list" ? one : text, { minLength: 1, maxLength: 2 });
  return fc.oneof(one, other);
}

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
