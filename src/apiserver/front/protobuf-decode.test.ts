import assert from "node:assert/strict";
import { test } from "node:test";
import { typeFacts } from "../../api/index.ts";
import { decodeProtobuf } from "./protobuf-decode.ts";

/** A length-delimited field. */
function part(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.byteLength]), bytes]);
}

test("an object in protobuf becomes what it is in JSON: maps, bytes, and no empty strings or times", () => {
  const metadata = Buffer.concat([part(1, "s"), part(2, ""), part(8, ""), part(11, Buffer.concat([part(1, "app"), part(2, "")]))]);
  const secret = Buffer.concat([part(1, metadata), part(2, Buffer.concat([part(1, "key"), part(2, "value")])), part(3, "Opaque")]);
  const typeMeta = Buffer.concat([part(1, "v1"), part(2, "Secret")]);
  const body = Buffer.concat([Buffer.from("k8s\0"), part(1, typeMeta), part(2, secret)]);
  assert.deepEqual(
    decodeProtobuf(body, () => typeFacts("core.v1.Secret")),
    { kind: "Secret", apiVersion: "v1", metadata: { name: "s", labels: { app: "" } }, data: { key: "dmFsdWU=" }, type: "Opaque" },
  );
});

test("a body that is cut off or no protobuf is a bad request", () => {
  const decode = (body: Buffer) => () => decodeProtobuf(body, () => typeFacts("core.v1.Secret"));
  assert.throws(decode(Buffer.from("{}")), /does not appear to be a protobuf message/);
  assert.throws(decode(Buffer.from([...Buffer.from("k8s\0"), 0x12, 0x20, 0x0a])), /unable to decode the protobuf body/);
});
