// CEL values at run time, and how JSON becomes them and they become JSON again.
//
// bool, string, null and bytes (Uint8Array) are themselves; int is a bigint, double a number. Lists and maps are views on the
// data they were made from: an element is converted when someone asks for it, so a large object costs what is read of it.
import { CelEvaluationError } from "./errors.ts";
import { CelDuration, CelTimestamp } from "./time.ts";
import type { CelListType, CelObjectType, CelType } from "./types.ts";
import { structured } from "./types.ts";

/** An unsigned integer. */
export class CelUint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }

  toString(): string {
    return this.value.toString();
  }
}

/** A value of a type without visible inside: quantities, addresses, authorisers. `celType` is the name of the type. */
export abstract class CelHostObject {
  abstract readonly celType: string;

  /** Whether both are the same value; asked only for objects of the same type. */
  equals(other: CelHostObject): boolean {
    return this === other;
  }
}

/** A value that may be missing. */
export class CelOptional extends CelHostObject {
  readonly celType = "optional_type";
  readonly value: unknown;

  constructor(value?: unknown) {
    super();
    this.value = value;
  }

  get hasValue(): boolean {
    return this.value !== undefined;
  }
}

/** A type as a value, what `type(x)` gives. */
export class CelTypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const anyList: CelListType = { kind: "list", element: "dyn" };

/** A list: a view on an array, of CEL values or of JSON. */
export class CelList implements Iterable<unknown> {
  readonly type: CelListType;
  readonly #items: readonly unknown[];
  readonly #isJson: boolean;

  private constructor(items: readonly unknown[], type: CelListType, isJson: boolean) {
    this.#items = items;
    this.type = type;
    this.#isJson = isJson;
  }

  /** Of CEL values. */
  static of(items: readonly unknown[], type: CelListType = anyList): CelList {
    return new CelList(items, type, false);
  }

  /** Of an array out of JSON. */
  static fromJson(items: readonly unknown[], type: CelListType): CelList {
    return new CelList(items, type, true);
  }

  get size(): number {
    return this.#items.length;
  }

  /** The element, or undefined outside of the list. */
  at(index: number): unknown {
    const item = this.#items[index];
    return this.#isJson && item !== undefined ? fromJson(item, this.type.element) : item;
  }

  *[Symbol.iterator](): Generator<unknown> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }
}

/** A map or an object with fields. Keys are strings, bigints (int and uint alike) and booleans. */
export interface CelMap {
  readonly size: number;
  /** The value, or undefined. */
  get(key: unknown): unknown;
  keys(): Iterable<unknown>;
}

/** A map whose values are CEL values already. */
export class LiteralMap implements CelMap {
  readonly #entries: ReadonlyMap<unknown, unknown>;

  constructor(entries: ReadonlyMap<unknown, unknown>) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: unknown): unknown {
    return this.#entries.get(normalKey(key));
  }

  keys(): Iterable<unknown> {
    return this.#entries.keys();
  }
}

/** A view on an object out of JSON, all of whose values have one type. */
export class JsonMap implements CelMap {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #value: CelType;

  constructor(json: Readonly<Record<string, unknown>>, value: CelType) {
    this.#json = json;
    this.#value = value;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  get(key: unknown): unknown {
    return typeof key === "string" && Object.hasOwn(this.#json, key) ? fromJson(this.#json[key], this.#value) : undefined;
  }

  keys(): Iterable<unknown> {
    return Object.keys(this.#json);
  }
}

/** A view on an object out of JSON with the fields of an object type; other fields are invisible. */
export class JsonObject implements CelMap {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly type: CelObjectType;

  constructor(json: Readonly<Record<string, unknown>>, type: CelObjectType) {
    this.#json = json;
    this.type = type;
  }

  get size(): number {
    return [...this.keys()].length;
  }

  get(key: unknown): unknown {
    const field = typeof key === "string" ? this.type.fields.get(key) : undefined;
    if (field === undefined) return undefined;
    const name = field.jsonName ?? String(key);
    return Object.hasOwn(this.#json, name) ? fromJson(this.#json[name], field.type) : undefined;
  }

  *keys(): Iterable<unknown> {
    for (const [name, field] of this.type.fields) if (Object.hasOwn(this.#json, field.jsonName ?? name)) yield name;
  }
}

/** An object built by a struct literal. */
export class StructValue extends LiteralMap {
  readonly typeName: string;

  constructor(typeName: string, entries: ReadonlyMap<unknown, unknown>) {
    super(entries);
    this.typeName = typeName;
  }
}

/** Whether the value is a map or an object with fields. */
export function isMap(value: unknown): value is CelMap {
  return value instanceof LiteralMap || value instanceof JsonMap || value instanceof JsonObject;
}

/** The key as maps hold it: numbers of all kinds that are whole become bigints. */
export function normalKey(key: unknown): unknown {
  if (key instanceof CelUint) return key.value;
  return typeof key === "number" && Number.isInteger(key) ? BigInt(key) : key;
}

/**
 * The CEL value of JSON data (or of a CEL value, which stays) under a declared type. Undefined stays undefined, but where an
 * optional value is declared.
 */
export function fromJson(value: unknown, type: CelType): unknown {
  if (typeof type === "object" && type.kind === "opaque" && type.name === "optional_type")
    return value instanceof CelOptional ? value : new CelOptional(fromJson(value, type.parameters[0] ?? "dyn"));
  if (typeof value === "number") return numberFromJson(value, type);
  if (typeof value === "string") return stringFromJson(value, type);
  if (typeof value !== "object" || value === null || isCelObject(value)) return value;
  const shape = structured(type);
  const kind = typeof shape === "string" ? shape : shape.kind;
  if (Array.isArray(value)) return CelList.fromJson(value, kind === "list" ? (shape as CelListType) : anyList);
  const json = value as Readonly<Record<string, unknown>>;
  if (typeof shape === "string" || (shape.kind !== "object" && shape.kind !== "map")) return new JsonMap(json, "dyn");
  return shape.kind === "object" ? new JsonObject(json, shape) : new JsonMap(json, shape.value);
}

function numberFromJson(value: number, type: CelType): unknown {
  if (type === "double" || !Number.isInteger(value)) return value;
  return type === "uint" ? new CelUint(BigInt(value)) : BigInt(value);
}

function stringFromJson(value: string, type: CelType): unknown {
  if (type === "timestamp") return CelTimestamp.parse(value);
  if (type === "duration") return CelDuration.parse(value);
  return type === "bytes" ? Uint8Array.from(Buffer.from(value, "base64")) : value;
}

function isCelObject(value: object): boolean {
  return (
    value instanceof CelList ||
    isMap(value) ||
    value instanceof CelHostObject ||
    value instanceof CelUint ||
    value instanceof Uint8Array ||
    value instanceof CelTimestamp ||
    value instanceof CelDuration ||
    value instanceof CelTypeValue
  );
}

/** The plain JavaScript value: integers as numbers where they fit, times as texts. Opaque values stay what they are. */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof CelUint) return toJson(value.value);
  if (value instanceof CelTimestamp || value instanceof CelDuration) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof CelList) return [...value].map(toJson);
  if (value instanceof CelOptional) return value.hasValue ? toJson(value.value) : null;
  if (!isMap(value)) return value;
  return Object.fromEntries([...value.keys()].map((key) => [String(key), toJson(value.get(key))]));
}

/** The name of the value's type. */
export function typeNameOf(value: unknown): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
  }
  if (value instanceof CelUint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CelList) return "list";
  if (value instanceof CelTimestamp) return "google.protobuf.Timestamp";
  if (value instanceof CelDuration) return "google.protobuf.Duration";
  if (value instanceof CelHostObject) return value.celType;
  if (value instanceof StructValue) return value.typeName;
  if (value instanceof JsonObject) return value.type.name;
  if (isMap(value)) return "map";
  if (value instanceof CelTypeValue) return "type";
  throw new CelEvaluationError(`unsupported value of type ${typeof value}`);
}
