// Request bodies in Kubernetes' protobuf, as typed clients (kubectl create, client-go) send them, turned into what the same
// object is in JSON. Field numbers come from the API table.
import protobuf from "protobufjs/minimal.js";
import { formatMicroTime, formatTime } from "../../base/index.ts";
import { badRequest, type FieldFacts, type FieldType, type ScalarType, type TypeFacts } from "../../machinery/index.ts";

type Reader = protobuf.Reader;

const magic = Buffer.from("k8s\0");

/** Decodes a runtime.Unknown; `typeOf` tells the type of the kind it names. */
export function decodeProtobuf(body: Buffer, typeOf: (kind: string) => TypeFacts): Record<string, unknown> {
  if (!body.subarray(0, magic.length).equals(magic)) throw badRequest("provided data does not appear to be a protobuf message");
  try {
    const unknown = fieldsOf(protobuf.Reader.create(body.subarray(magic.length)), new Set([1, 2]));
    const meta = fieldsOf(protobuf.Reader.create(unknown.get(1) ?? Buffer.alloc(0)), new Set([1, 2]));
    const [apiVersion, kind] = [textOf(meta.get(1)), textOf(meta.get(2))];
    return { kind, apiVersion, ...decodeMessage(protobuf.Reader.create(unknown.get(2) ?? Buffer.alloc(0)), typeOf(kind)) };
  } catch (error) {
    throw badRequest(`unable to decode the protobuf body: ${error instanceof Error ? error.message : String(error)}`);
  }
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

const byNumber = new WeakMap<TypeFacts, Map<number, FieldFacts>>();

function numbersOf(facts: TypeFacts): Map<number, FieldFacts> {
  let numbers = byNumber.get(facts);
  if (numbers === undefined) {
    numbers = new Map([...facts.fields.values()].map((field) => [field.protobufNumber ?? 0, field]));
    byNumber.set(facts, numbers);
  }
  return numbers;
}

function decodeMessage(reader: Reader, facts: TypeFacts): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  const numbers = numbersOf(facts);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = numbers.get(tag >>> 3);
    if (field === undefined) reader.skipType(tag & 7);
    else readField(reader, object, field);
  }
  return object;
}

function readField(reader: Reader, object: Record<string, unknown>, { name, type, isRequired }: FieldFacts): void {
  if (type.kind === "list") {
    const list = (object[name] ??= []) as unknown[];
    list.push(readValue(reader, type.items));
  } else if (type.kind === "map") {
    const [key, value] = readEntry(nested(reader), type.values);
    object[name] ??= {} as Record<string, unknown>;
    (object[name] as Record<string, unknown>)[key] = value;
  } else {
    const value = readValue(reader, type);
    // DEVIATION: Go writes empty strings that JSON would leave out; the two cannot be told apart here, so both are left out.
    if (value !== undefined && (value !== "" || isRequired)) object[name] = value;
  }
}

function nested(reader: Reader): Reader {
  return protobuf.Reader.create(reader.bytes());
}

function readEntry(reader: Reader, values: FieldType): [string, unknown] {
  let key = "";
  let value: unknown = "";
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = readValue(reader, values);
    else reader.skipType(tag & 7);
  }
  return [key, value];
}

function readValue(reader: Reader, type: FieldType): unknown {
  if (type.kind === "object") return decodeMessage(nested(reader), type.type);
  if (type.kind === "scalar") return readScalar(reader, type.scalar);
  // A list inside of a map is a message with the items in field 1.
  const items: unknown[] = [];
  const inner = nested(reader);
  while (inner.pos < inner.len) {
    const tag = inner.uint32();
    if (type.kind === "list" && tag >>> 3 === 1) items.push(readValue(inner, type.items));
    else inner.skipType(tag & 7);
  }
  return items;
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
  const epochMs = seconds * 1000 + Math.floor(nanos / 1_000_000);
  return scalar === "time" ? formatTime(epochMs) : formatMicroTime(epochMs);
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
