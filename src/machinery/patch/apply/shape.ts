// How a type's values are owned: which are taken whole, which by member, by key or by value.
import type { FieldFacts, FieldType, TypeFacts } from "../../schema.ts";
import { isObject } from "../patch-error.ts";

export type Shape =
  /** Scalars, and atomic lists, maps and objects. */
  | { readonly kind: "leaf" }
  /** A struct: known fields, each with a shape of its own. */
  | { readonly kind: "object"; readonly type: TypeFacts }
  | { readonly kind: "map"; readonly values: Shape; readonly isRequired: boolean }
  /** A list whose elements are their own keys. */
  | { readonly kind: "set"; readonly isRequired: boolean }
  | { readonly kind: "list"; readonly keys: readonly ListKey[]; readonly items: Shape; readonly isRequired: boolean }
  /** Without a schema: objects by member, all else whole. */
  | { readonly kind: "deduced" };

export interface ListKey {
  readonly name: string;
  readonly defaultValue: unknown;
}

export const leaf: Shape = { kind: "leaf" };
export const deduced: Shape = { kind: "deduced" };

const shapes = new WeakMap<FieldFacts, Shape>();

export function rootShape(facts: TypeFacts | undefined): Shape {
  return facts === undefined ? deduced : { kind: "object", type: facts };
}

function fieldShape(field: FieldFacts): Shape {
  const known = shapes.get(field);
  if (known !== undefined) return known;
  const shape = makeShape(field);
  shapes.set(field, shape);
  return shape;
}

function makeShape({ type, listType, listMapKeys = [], mapType, isRequired }: FieldFacts): Shape {
  if (type.kind === "list") {
    if (listType === "set") return { kind: "set", isRequired };
    if (listType !== "map") return leaf;
    const keys = [...listMapKeys].sort().map((name) => ({ name, defaultValue: defaultOf(type.items, name) }));
    return { kind: "list", keys, items: typeShape(type.items), isRequired };
  }
  if (mapType === "atomic") return leaf;
  return type.kind === "map" ? { kind: "map", values: typeShape(type.values), isRequired } : typeShape(type);
}

function defaultOf(items: FieldType, name: string): unknown {
  return items.kind === "object" ? items.type.fields.get(name)?.defaultValue : undefined;
}

function typeShape(type: FieldType): Shape {
  switch (type.kind) {
    case "scalar":
      return type.scalar === "any" ? deduced : leaf;
    case "object":
      return { kind: "object", type: type.type };
    case "map":
      return { kind: "map", values: typeShape(type.values), isRequired: false };
    case "list":
      return leaf;
  }
}

/** The shape of the member `key` of a value that is owned by member. */
export function memberShape(shape: Shape, key: string): Shape {
  if (shape.kind === "map") return shape.values;
  const field = shape.kind === "object" ? shape.type.fields.get(key) : undefined;
  return field === undefined ? deduced : fieldShape(field);
}

/** Whether `key` is a field that the type declares, rather than an entry of a map. */
export function isDeclared(shape: Shape, key: string): boolean {
  return shape.kind === "object" && shape.type.fields.has(key);
}

/** Whether a value of this shape is owned by member. */
export function hasMembers(value: unknown, shape: Shape): value is Readonly<Record<string, unknown>> {
  return (shape.kind === "object" || shape.kind === "map" || shape.kind === "deduced") && isObject(value);
}

/** Whether a value of this shape is owned by element. */
export function hasElements(value: unknown, shape: Shape): value is readonly unknown[] {
  return (shape.kind === "set" || shape.kind === "list") && Array.isArray(value);
}

/** `k:{"name":"a"}` or `v:"x"`: how an element is named in a set of fields. */
export function elementName(element: unknown, shape: Shape): string {
  if (shape.kind !== "list" || !isObject(element)) return `v:${JSON.stringify(element)}`;
  const key: Record<string, unknown> = {};
  for (const { name, defaultValue } of shape.keys) {
    const value = element[name] ?? defaultValue;
    if (value !== undefined) key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}

/** The shape of the elements of a list. */
export function itemShape(shape: Shape): Shape {
  return shape.kind === "list" ? shape.items : leaf;
}
