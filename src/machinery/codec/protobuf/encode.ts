// Objects in Kubernetes' protobuf: messages by the facts of their types, and the envelope that names the kind.
import protobuf from "protobufjs/minimal.js";
import type { FieldFacts, FieldType, ScalarType, TypeFacts } from "../../schema.ts";
import { layoutOf, type MessageLayout } from "./layout.ts";

type Writer = protobuf.Writer;
type Members = Readonly<Record<string, unknown>>;

/** What every Kubernetes protobuf body begins with. */
export const protobufMagic = Buffer.from("k8s\0");

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** The message of `object`, without what names its kind. Fields that the type does not know are left out. */
export function encodeMessage(object: object, facts: TypeFacts): Uint8Array {
  const writer = protobuf.Writer.create();
  writeMembers(writer, object as Members, layoutOf(facts));
  return writer.finish();
}

/** The head of a runtime.Unknown whose raw message of `length` bytes follows. */
export function envelopeHead(apiVersion: string, kind: string, length: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, BYTES)).fork();
  writer.uint32(tag(1, BYTES)).string(apiVersion).uint32(tag(2, BYTES)).string(kind).ldelim();
  writer.uint32(tag(2, BYTES)).uint32(length);
  return Buffer.concat([protobufMagic, writer.finish()]);
}

/** A whole body: the magic bytes and a runtime.Unknown around `message`. */
export function encodeEnvelope(apiVersion: string, kind: string, message: Uint8Array): Buffer {
  return Buffer.concat([envelopeHead(apiVersion, kind, message.byteLength), message]);
}

/** Tag and length of a message in field `number`, as they stand before its bytes. */
export function fieldHead(number: number, length: number): Uint8Array {
  return protobuf.Writer.create().uint32(tag(number, BYTES)).uint32(length).finish();
}

/** A WatchEvent whose object is the whole body `envelope`, with its length before it, as streams carry it. */
export function encodeWatchFrame(type: string, envelope: Uint8Array): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, BYTES)).string(type);
  writer.uint32(tag(2, BYTES)).fork().uint32(tag(1, BYTES)).bytes(envelope).ldelim();
  const event = writer.finish();
  const frame = Buffer.allocUnsafe(4 + event.byteLength);
  frame.writeUInt32BE(event.byteLength, 0);
  frame.set(event, 4);
  return frame;
}

function tag(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

function writeMembers(writer: Writer, object: Members, layout: MessageLayout): void {
  for (const name in object) {
    const field = layout.byName.get(name);
    const value = object[name];
    if (field !== undefined && value !== undefined && value !== null) writeField(writer, { field, layout }, value);
  }
  for (const [number, embedded] of layout.embedded) {
    if (!isAnyIn(object, embedded)) continue;
    writer.uint32(tag(number, BYTES)).fork();
    writeMembers(writer, object, embedded);
    writer.ldelim();
  }
}

function isAnyIn(object: Members, { byName, embedded }: MessageLayout): boolean {
  for (const name of byName.keys()) if (object[name] !== undefined) return true;
  for (const layout of embedded.values()) if (isAnyIn(object, layout)) return true;
  return false;
}

/** A field and the layout of the type that has it. */
interface Place {
  readonly field: FieldFacts;
  readonly layout: MessageLayout;
}

function writeField(writer: Writer, place: Place, value: unknown): void {
  const { type, protobufNumber: number = 0 } = place.field;
  if (type.kind === "list") {
    for (const item of value as readonly unknown[]) writeValue(writer, number, { ...place, type: type.items }, item);
  } else if (type.kind === "map") {
    const values = { ...place, type: type.values };
    for (const key in value as Members) {
      writer.uint32(tag(number, BYTES)).fork().uint32(tag(1, BYTES)).string(key);
      writeValue(writer, 2, values, (value as Members)[key]);
      writer.ldelim();
    }
  } else {
    writeValue(writer, number, { ...place, type }, value);
  }
}

/** `type` is that of the value: the field's own, or that of its items or values. */
function writeValue(writer: Writer, number: number, place: Place & { readonly type: FieldType }, value: unknown): void {
  const { type, field, layout } = place;
  if (field.protobufUnion !== undefined) {
    writer.uint32(tag(number, BYTES)).fork();
    writeUnion(writer, field.protobufUnion, layout, value);
    writer.ldelim();
  } else if (type.kind === "object") {
    writer.uint32(tag(number, BYTES)).fork();
    writeMembers(writer, (value ?? {}) as Members, layoutOf(type.type));
    writer.ldelim();
  } else if (type.kind === "list") {
    // A list inside of a map is a message with the items in field 1.
    writer.uint32(tag(number, BYTES)).fork();
    for (const item of value as readonly unknown[]) writeValue(writer, 1, { ...place, type: type.items }, item);
    writer.ldelim();
  } else if (type.kind === "scalar") {
    writeScalar(writer, number, type.scalar, value);
  }
}

/** A schema, or what else may stand in its place; only schemas have such fields, so `schema` is the layout of their type. */
function writeUnion(writer: Writer, union: NonNullable<FieldFacts["protobufUnion"]>, schema: MessageLayout, value: unknown): void {
  const writeSchema = (number: number, one: unknown) => {
    writer.uint32(tag(number, BYTES)).fork();
    writeMembers(writer, one as Members, schema);
    writer.ldelim();
  };
  if (union === "boolean") {
    writer.uint32(tag(1, VARINT)).bool(value !== false);
    if (typeof value === "object") writeSchema(2, value);
  } else if (!Array.isArray(value)) writeSchema(1, value);
  else if (union === "list") for (const one of value) writeSchema(2, one);
  else for (const text of value) writer.uint32(tag(2, BYTES)).string(String(text));
}

function writeScalar(writer: Writer, number: number, scalar: ScalarType, value: unknown): void {
  switch (scalar) {
    case "string":
      writer.uint32(tag(number, BYTES)).string(String(value));
      return;
    case "int32":
      writer.uint32(tag(number, VARINT)).int32(Number(value));
      return;
    case "int64":
      writer.uint32(tag(number, VARINT)).int64(Number(value));
      return;
    case "double":
      writer.uint32(tag(number, FIXED64)).double(Number(value));
      return;
    case "boolean":
      writer.uint32(tag(number, VARINT)).bool(value === true);
      return;
    case "bytes":
      writer.uint32(tag(number, BYTES)).bytes(Buffer.from(String(value), "base64"));
      return;
    case "time":
    case "microTime":
      writeTime(writer.uint32(tag(number, BYTES)), String(value));
      return;
    case "quantity":
      writeText(writer.uint32(tag(number, BYTES)), String(value));
      return;
    case "any":
      writeText(writer.uint32(tag(number, BYTES)), JSON.stringify(value));
      return;
    case "intOrString":
      writeIntOrString(writer.uint32(tag(number, BYTES)), value);
  }
}

/** Quantity, RawExtension, FieldsV1, JSON: a message with one text in field 1. */
function writeText(writer: Writer, text: string): void {
  writer.fork().uint32(tag(1, BYTES)).string(text).ldelim();
}

const fraction = /\.(\d+)/;

function writeTime(writer: Writer, text: string): void {
  const nanos = Number((fraction.exec(text)?.[1] ?? "").slice(0, 9).padEnd(9, "0"));
  writer.fork();
  if (text !== "") {
    writer.uint32(tag(1, VARINT)).int64(Math.floor(Date.parse(text) / 1000));
    writer.uint32(tag(2, VARINT)).int32(nanos);
  }
  writer.ldelim();
}

function writeIntOrString(writer: Writer, value: unknown): void {
  const isString = typeof value === "string";
  writer.fork();
  writer.uint32(tag(1, VARINT)).int64(isString ? 1 : 0);
  if (isString) writer.uint32(tag(3, BYTES)).string(value);
  else writer.uint32(tag(2, VARINT)).int32(Number(value));
  writer.ldelim();
}
