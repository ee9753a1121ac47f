// The fields that the creator of an object owns. Objects made from one template have the same ones: what the last object
// of a type and this one have in common is not made again, and they share it.
import type { TypeFacts } from "../../schema.ts";
import { isObject } from "../patch-error.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { ownable } from "./managed-fields.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, rootShape, type Shape } from "./shape.ts";
import { isOptionalContainer, wholeFields } from "./value-sets.ts";

/** The fields of one value, and of its parts. */
interface Fields {
  readonly shape: Shape;
  /** The value's node in a set of fields, its steps in order. */
  readonly node: FieldSet;
  readonly members: ReadonlyMap<string, Fields>;
  readonly elements: readonly ElementFields[];
}

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

const noMembers: Fields["members"] = new Map();
/** Of values without parts, or that are owned whole. */
const undivided: Fields = { shape: { kind: "leaf" }, node: emptySet, members: noMembers, elements: [] };

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
  if (hasMembers(value, place.shape)) return memberFields(value, place, last);
  if (hasElements(value, place.shape)) return elementFields(value, place, last);
  return undivided;
}

function memberFields(value: Readonly<Record<string, unknown>>, place: Place, last: Fields | undefined): Fields {
  const { shape } = place;
  const keys: string[] = [];
  const parts: Fields[] = [];
  let isSame = true;
  for (const key in value) {
    const member = value[key];
    if (member === undefined) continue;
    const known = last?.members.get(key);
    const fields = fieldsOf(member, { shape: memberShape(shape, key), isInSet: !isDeclared(shape, key) }, known);
    if (fields !== known) isSame = false;
    keys.push(key);
    parts.push(fields);
  }
  if (keys.length === 0) return undivided;
  if (isSame && last?.members.size === keys.length) return last;
  const members = new Map(keys.map((key, index) => [key, parts[index] ?? undivided]));
  const steps = [...members].map(([key, { node }]): Step => [`f:${key}`, node]);
  return { shape, node: nodeOf(place, steps), members, elements: [] };
}

function elementFields(list: readonly unknown[], place: Place, last: Fields | undefined): Fields {
  const { shape } = place;
  if (list.length === 0) return undivided;
  const of = { shape: itemShape(shape), isInSet: true };
  let isSame = last?.elements.length === list.length;
  const elements = list.map((element, index) => {
    const known = last?.elements[index];
    const isKnown = known !== undefined && hasKeys(element, shape, known.keys);
    const fields = fieldsOf(element, of, known?.fields);
    if (isKnown && fields === known.fields) return known;
    isSame = false;
    return { keys: keysOf(element, shape), step: isKnown ? known.step : elementName(element, shape), fields };
  });
  if (isSame && last !== undefined) return last;
  const steps = elements.map(({ step, fields }): Step => [step, fields.node]);
  return { shape, node: nodeOf(place, steps), members: noMembers, elements };
}

type Step = readonly [step: string, node: FieldSet];

function nodeOf({ shape, isInSet }: Place, steps: Step[]): FieldSet {
  const own: Step[] = isInSet || isOptionalContainer(shape) ? [[".", emptySet]] : [];
  return Object.fromEntries([...own, ...steps].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function keysOf(element: unknown, shape: Shape): readonly unknown[] {
  if (shape.kind !== "list" || !isObject(element)) return [element];
  return shape.keys.map(({ name, defaultValue }) => element[name] ?? defaultValue);
}

function hasKeys(element: unknown, shape: Shape, keys: readonly unknown[]): boolean {
  if (shape.kind !== "list" || !isObject(element)) return element === keys[0];
  return shape.keys.every(({ name, defaultValue }, index) => (element[name] ?? defaultValue) === keys[index]);
}
