// The fields of a value, and the fields in which two values differ.
import { deepEqual } from "../../equality.ts";
import { emptySet, type FieldSet, isEmptySet, makeNode } from "./field-set.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, type Shape } from "./shape.ts";

type Steps = Record<string, FieldSet>;

/** What an applied configuration names: its leaves, list items and map entries. */
export function appliedFields(value: unknown, shape: Shape): FieldSet {
  const steps: Steps = {};
  if (hasMembers(value, shape)) {
    for (const key in value) {
      const member = value[key];
      if (member === undefined) continue;
      const of = memberShape(shape, key);
      const isWhole = isLeaf(member, of) || !isDeclared(shape, key);
      const node = makeNode(appliedFields(member, of), isWhole);
      if (node !== undefined) steps[`f:${key}`] = node;
    }
  } else if (hasElements(value, shape)) {
    for (const element of value) {
      steps[elementName(element, shape)] = makeNode(appliedFields(element, itemShape(shape)), true) ?? emptySet;
    }
  }
  return steps;
}

/** Whether the value is owned whole: it has no parts, or its parts are not owned one by one. */
function isLeaf(value: unknown, shape: Shape): boolean {
  if (hasMembers(value, shape)) return Object.keys(value).length === 0;
  return !hasElements(value, shape);
}

/**
 * What comes into being with a value: besides its leaves the lists and maps themselves, unless the type always has them.
 * (Upstream also counts structs behind pointers; the type's facts do not tell those from structs by value.)
 */
export function wholeFields(value: unknown, shape: Shape): FieldSet {
  const steps: Steps = {};
  addWholeFields(steps, value, shape);
  return steps;
}

/** Answers whether it added anything. */
function addWholeFields(steps: Steps, value: unknown, shape: Shape): boolean {
  let isAny = false;
  if (hasMembers(value, shape)) {
    for (const key in value) {
      const member = value[key];
      if (member === undefined) continue;
      isAny = true;
      steps[`f:${key}`] = wholeNode(member, memberShape(shape, key), !isDeclared(shape, key));
    }
  } else if (hasElements(value, shape)) {
    const items = itemShape(shape);
    isAny = value.length > 0;
    for (const element of value) steps[elementName(element, shape)] = wholeNode(element, items, true);
  }
  return isAny;
}

function wholeNode(value: unknown, shape: Shape, isInSet: boolean): FieldSet {
  if (shape.kind === "leaf") return emptySet;
  const steps: Steps = isInSet || isOptionalContainer(shape) ? { ".": emptySet } : {};
  return addWholeFields(steps, value, shape) ? steps : emptySet;
}

/** Whether a list or map of this shape is a field of its own, besides what it holds. */
export function isOptionalContainer(shape: Shape): boolean {
  return shape.kind === "deduced" || ((shape.kind === "map" || shape.kind === "set" || shape.kind === "list") && !shape.isRequired);
}

/** Three sets of fields; undefined where there is none. */
export interface Changes {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

const unchanged: Changes = { added: emptySet, modified: emptySet, removed: emptySet };

/** In which fields two objects differ. Parts that both share are not looked at. */
export function compareValues(before: unknown, after: unknown, shape: Shape): Changes {
  if (before === after) return unchanged;
  if (hasMembers(before, shape) && hasMembers(after, shape)) return compareMembers(before, after, shape);
  if (hasElements(before, shape) && hasElements(after, shape)) return compareElements(before, after, shape);
  return unchanged;
}

interface Difference {
  readonly added: Steps;
  readonly modified: Steps;
  readonly removed: Steps;
}

/** Compares what stands at `step` on both sides, and notes it in `difference`. */
function comparePart(difference: Difference, step: string, [before, after]: readonly [unknown, unknown], shape: Shape): void {
  const bothParted = (hasMembers(before, shape) && hasMembers(after, shape)) || (hasElements(before, shape) && hasElements(after, shape));
  if (!bothParted) {
    if (!deepEqual(before, after)) difference.modified[step] = emptySet;
    return;
  }
  const { added, modified, removed } = compareValues(before, after, shape);
  if (!isEmptySet(added)) difference.added[step] = added;
  if (!isEmptySet(modified)) difference.modified[step] = modified;
  if (!isEmptySet(removed)) difference.removed[step] = removed;
}

type Members = Readonly<Record<string, unknown>>;

function compareMembers(before: Members, after: Members, shape: Shape): Changes {
  const difference: Difference = { added: {}, modified: {}, removed: {} };
  for (const key in after) {
    const value = after[key];
    const old = before[key];
    if (value === old || value === undefined) continue;
    const of = memberShape(shape, key);
    if (old === undefined) difference.added[`f:${key}`] = wholeNode(value, of, !isDeclared(shape, key));
    else comparePart(difference, `f:${key}`, [old, value], of);
  }
  for (const key in before) {
    const old = before[key];
    if (old === undefined || after[key] !== undefined) continue;
    difference.removed[`f:${key}`] = wholeNode(old, memberShape(shape, key), true);
  }
  return difference;
}

function compareElements(before: readonly unknown[], after: readonly unknown[], shape: Shape): Changes {
  const difference: Difference = { added: {}, modified: {}, removed: {} };
  const items = itemShape(shape);
  const known = new Map(before.map((element) => [elementName(element, shape), element]));
  for (const element of after) {
    const step = elementName(element, shape);
    if (!known.has(step)) difference.added[step] = wholeNode(element, items, true);
    else comparePart(difference, step, [known.get(step), element], items);
    known.delete(step);
  }
  for (const [step, element] of known) difference.removed[step] = wholeNode(element, items, true);
  return difference;
}
