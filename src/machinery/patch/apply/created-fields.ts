// The fields that the creator of an object owns. Objects made from one template have the same ones: what the last object
// of a type and this one have in common is not made again, and they share it.
import type { TypeFacts } from "../../schema.ts";
import { isObject, type JsonObject } from "../patch-error.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { ownable } from "./managed-fields.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, rootShape, type Shape } from "./shape.ts";
import { isOptionalContainer, wholeFields } from "./value-sets.ts";

/** The fields of one value, and of its parts. */
type Fields =
  /** Of values that are owned whole, whatever they are. */
  | { readonly kind: "whole"; readonly node: FieldSet }
  /** Of values that could have parts, and have none. */
  | { readonly kind: "plain"; readonly node: FieldSet }
  | { readonly kind: "members"; readonly node: FieldSet; readonly members: ReadonlyMap<string, Fields> }
  | { readonly kind: "list"; readonly node: FieldSet; readonly shape: Shape; readonly elements: readonly ElementFields[] };

interface ElementFields {
  /** What tells the element from others: the values of the list's keys, or itself. */
  readonly keys: readonly unknown[];
  readonly step: string;
  readonly fields: Fields;
}

interface Created {
  readonly fields: Fields;
  readonly resetFields: readonly string[];
  readonly set: FieldSet;
}

const whole: Fields = { kind: "whole", node: emptySet };
const plain: Fields = { kind: "plain", node: emptySet };

/** What was created last, by type. */
const lastCreated = new WeakMap<TypeFacts, Created>();

/** The set is in order. `resetFields` are names of members that the creator cannot own. */
export function createdFields(value: unknown, facts: TypeFacts | undefined, resetFields: readonly string[]): FieldSet {
  if (facts === undefined) return ownable(wholeFields(value, rootShape(facts)), resetFields);
  const last = lastCreated.get(facts);
  const fields = fieldsOf(value, { shape: rootShape(facts), isInSet: false }, last?.fields);
  if (last?.fields === fields && last.resetFields === resetFields) return last.set;
  const set = ownable(fields.node, resetFields);
  lastCreated.set(facts, { fields, resetFields, set });
  return set;
}

interface Place {
  readonly shape: Shape;
  readonly isInSet: boolean;
}

/** `last` itself when `value` has the same fields. */
function fieldsOf(value: unknown, place: Place, last: Fields | undefined): Fields {
  if (last !== undefined && fits(value, last)) return last;
  if (hasMembers(value, place.shape)) return memberFields(value, place, last?.kind === "members" ? last.members : undefined);
  if (hasElements(value, place.shape)) return elementFields(value, place, last?.kind === "list" ? last.elements : []);
  return place.shape.kind === "leaf" ? whole : plain;
}

function memberFields(value: JsonObject, place: Place, last: ReadonlyMap<string, Fields> | undefined): Fields {
  const { shape } = place;
  const members = new Map<string, Fields>();
  for (const key in value) {
    if (value[key] === undefined) continue;
    const of = { shape: memberShape(shape, key), isInSet: !isDeclared(shape, key) };
    members.set(key, fieldsOf(value[key], of, last?.get(key)));
  }
  if (members.size === 0) return plain;
  return {
    kind: "members",
    members,
    node: nodeOf(
      place,
      [...members].map(([key, { node }]): Step => [`f:${key}`, node]),
    ),
  };
}

function elementFields(list: readonly unknown[], place: Place, last: readonly ElementFields[]): Fields {
  const { shape } = place;
  if (list.length === 0) return plain;
  const of = { shape: itemShape(shape), isInSet: true };
  const elements = list.map((element, index): ElementFields => {
    const fields = fieldsOf(element, of, last[index]?.fields);
    return { keys: keysOf(element, shape), step: elementName(element, shape), fields };
  });
  return {
    kind: "list",
    shape,
    elements,
    node: nodeOf(
      place,
      elements.map(({ step, fields }): Step => [step, fields.node]),
    ),
  };
}

type Step = readonly [step: string, node: FieldSet];

function nodeOf({ shape, isInSet }: Place, steps: Step[]): FieldSet {
  const own: Step[] = isInSet || isOptionalContainer(shape) ? [[".", emptySet]] : [];
  return Object.fromEntries([...own, ...steps].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Whether these are the fields of `value`. Elements in another order count as others. */
function fits(value: unknown, fields: Fields): boolean {
  switch (fields.kind) {
    case "whole":
      return true;
    case "plain":
      return hasNoParts(value);
    case "members":
      return isObject(value) && membersFit(value, fields.members);
    case "list":
      return Array.isArray(value) && elementsFit(value, fields);
  }
}

function hasNoParts(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  for (const _ in value) return false;
  return true;
}

function membersFit(value: JsonObject, members: ReadonlyMap<string, Fields>): boolean {
  let count = 0;
  for (const key in value) {
    const member = value[key];
    if (member === undefined) continue;
    const fields = members.get(key);
    if (fields === undefined || !fits(member, fields)) return false;
    count++;
  }
  return count === members.size;
}

function elementsFit(list: readonly unknown[], { shape, elements }: Extract<Fields, { kind: "list" }>): boolean {
  if (list.length !== elements.length) return false;
  for (const [index, { keys, fields }] of elements.entries()) {
    if (!hasKeys(list[index], shape, keys) || !fits(list[index], fields)) return false;
  }
  return true;
}

function keysOf(element: unknown, shape: Shape): readonly unknown[] {
  if (shape.kind !== "list" || !isObject(element)) return [element];
  return shape.keys.map(({ name, defaultValue }) => element[name] ?? defaultValue);
}

function hasKeys(element: unknown, shape: Shape, keys: readonly unknown[]): boolean {
  if (shape.kind !== "list" || !isObject(element)) return element === keys[0];
  return shape.keys.every(({ name, defaultValue }, index) => (element[name] ?? defaultValue) === keys[index]);
}
