// Bodies in Kubernetes' protobuf, as typed clients send them, turned into what the same object is in JSON.
import protobuf from "protobufjs/minimal.js";
import { formatTime } from "../../../base/index.ts";
import type { FieldFacts, FieldType, ScalarType, TypeFacts } from "../../schema.ts";
import { badRequest } from "../../status-error.ts";
import { protobufMagic } from "./encode.ts";
import { layoutOf, type MessageLayout } from "./layout.ts";

type Reader = protobuf.Reader;
type Draft = Record<string, unknown>;

/** Decodes a runtime.Unknown; `typeOf` tells the type of the kind it names. Throws BadRequest. */
export function decodeProtobuf(body: Uint8Array, typeOf: (kind: string) => TypeFacts): Draft {
  if (!protobufMagic.equals(body.subarray(0, protobufMagic.length))) {
    throw badRequest("provided data does not appear to be a protobuf message");
  }
  try {
    const unknown = fieldsOf(protobuf.Reader.create(body.subarray(protobufMagic.length)), new Set([1, 2]));
    const meta = fieldsOf(protobuf.Reader.create(unknown.get(1) ?? Buffer.alloc(0)), new Set([1, 2]));
    const [apiVersion, kind] = [textOf(meta.get(1)), textOf(meta.get(2))];
    return { kind, apiVersion, ...decodeMessage(unknown.get(2) ?? Buffer.alloc(0), typeOf(kind)) };
  } catch (error) {
    throw badRequest(`unable to decode the protobuf body: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A message of the type, without what names its kind. */
export function decodeMessage(message: Uint8Array, facts: TypeFacts): Draft {
  return readMembers(protobuf.Reader.create(message), layoutOf(facts), {});
}

/** The length-delimited fields of a small message. */
function fieldsOf(reader: Reader, numbers: ReadonlySet<number>): Map<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (numbers.has(tag >>> 3) && (tag & 7) === 2) fields.set(tag >>> 3, reader.bytes());
    else reader.skipType(tag & 7);
  }
  return fields;
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("utf8");
}

function readMembers(reader: Reader, layout: MessageLayout, object: Draft): Draft {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = layout.byNumber.get(tag >>> 3);
    const embedded = layout.embedded.get(tag >>> 3);
    if (field !== undefined) readField(reader, object, { field, layout });
    else if (embedded !== undefined) readMembers(nested(reader), embedded, object);
    else reader.skipType(tag & 7);
  }
  return object;
}

/** A field and the layout of the type that has it. */
interface Place {
  readonly field: FieldFacts;
  readonly layout: MessageLayout;
}

function readField(reader: Reader, object: Draft, place: Place): void {
  const { name, type, isRequired } = place.field;
  if (type.kind === "list") {
    const list = (object[name] ??= []) as unknown[];
    list.push(readValue(reader, { ...place, type: type.items }));
  } else if (type.kind === "map") {
    const [key, value] = readEntry(nested(reader), { ...place, type: type.values });
    object[name] ??= {} as Draft;
    // A plain assignment to `__proto__` would set something else.
    Object.defineProperty(object[name], key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    const value = readValue(reader, { ...place, type });
    // DEVIATION: Go writes empty strings that JSON would leave out; the two cannot be told apart here, so both are left out.
    if (value !== undefined && (value !== "" || isRequired)) object[name] = value;
  }
}

function nested(reader: Reader): Reader {
  return protobuf.Reader.create(reader.bytes());
}

function readEntry(reader: Reader, values: Place & { readonly type: FieldType }): [string, unknown] {
  let key = "";
  let value: unknown = values.type.kind === "object" ? {} : "";
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = readValue(reader, values);
    else reader.skipType(tag & 7);
  }
  return [key, value];
}

function readValue(reader: Reader, place: Place & { readonly type: FieldType }): unknown {
  const { type, field, layout } = place;
  if (field.protobufUnion !== undefined) return readUnion(nested(reader), field.protobufUnion, layout);
  if (type.kind === "object") return readMembers(nested(reader), layoutOf(type.type), {});
  if (type.kind === "scalar") return readScalar(reader, type.scalar);
  // A list inside of a map is a message with the items in field 1.
  const items: unknown[] = [];
  const inner = nested(reader);
  while (inner.pos < inner.len) {
    const tag = inner.uint32();
    if (type.kind === "list" && tag >>> 3 === 1) items.push(readValue(inner, { ...place, type: type.items }));
    else inner.skipType(tag & 7);
  }
  return items;
}

/** A schema, or what else may stand in its place: a list of schemas, a boolean, a list of strings. */
function readUnion(reader: Reader, union: NonNullable<FieldFacts["protobufUnion"]>, schema: MessageLayout): unknown {
  const schemaNumber = union === "boolean" ? 2 : 1;
  let [found, allows]: [unknown, boolean] = [undefined, false];
  const items: unknown[] = [];
  while (reader.pos < reader.len) {
    const number = reader.uint32() >>> 3;
    if (number === schemaNumber) found = readMembers(nested(reader), schema, {});
    else if (union === "boolean") allows = reader.bool();
    else items.push(union === "list" ? readMembers(nested(reader), schema, {}) : reader.string());
  }
  return found ?? (union === "boolean" ? allows : items);
}

function readScalar(reader: Reader, scalar: ScalarType): unknown {
  switch (scalar) {
    case "string":
      return reader.string();
    case "int32":
      return reader.int32();
    case "int64":
      return Number(reader.int64());
    case "double":
      return reader.double();
    case "boolean":
      return reader.bool();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "time":
    case "microTime":
      return readTime(nested(reader), scalar);
    case "quantity":
      return textOf(fieldsOf(nested(reader), new Set([1])).get(1));
    case "intOrString":
      return readIntOrString(nested(reader));
    case "any":
      return JSON.parse(textOf(fieldsOf(nested(reader), new Set([1])).get(1)) || "null") ?? undefined;
  }
}

/** Time and MicroTime: seconds and nanoseconds; an empty message is no time. */
function readTime(reader: Reader, scalar: "time" | "microTime"): string | undefined {
  if (reader.len === 0) return undefined;
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) seconds = Number(reader.int64());
    else if (tag >>> 3 === 2) nanos = reader.int32();
    else reader.skipType(tag & 7);
  }
  const whole = formatTime(seconds * 1000);
  if (scalar === "time") return whole;
  const micros = String(Math.floor(nanos / 1000)).padStart(6, "0");
  return `${whole.slice(0, -1)}.${micros}Z`;
}

function readIntOrString(reader: Reader): number | string {
  let [isString, number, text] = [false, 0, ""];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) isString = Number(reader.int64()) === 1;
    else if (tag >>> 3 === 2) number = reader.int32();
    else if (tag >>> 3 === 3) text = reader.string();
    else reader.skipType(tag & 7);
  }
  return isString ? text : number;
}
