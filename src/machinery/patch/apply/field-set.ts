// Sets of fields, in the form in which managedFields has them: `f:name`, `k:{…}`, `v:…`, `i:…` for the steps of a path;
// a node without members, or with `.`, belongs to the set itself. Trees are never changed, and shared freely.
import { isObject } from "../patch-error.ts";

export interface FieldSet {
  readonly [step: string]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});

/** Whether a value has the form of a set: objects all the way down. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (!isObject(value)) return false;
  for (const step in value) if (!isFieldSet(value[step])) return false;
  return true;
}

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the path that ends in this node belongs to the set. */
export function isMember(node: FieldSet): boolean {
  return Object.hasOwn(node, ".") || isEmptySet(node);
}

/** A node from what is below it and whether it belongs to the set; undefined if neither is left. */
export function makeNode(below: FieldSet, isInSet: boolean): FieldSet | undefined {
  if (isEmptySet(below)) return isInSet ? emptySet : undefined;
  return isInSet ? { ".": emptySet, ...below } : below;
}

type Steps = Record<string, FieldSet>;

/** What is in `a` or `b`; `a` itself if that is all. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let result: Steps | undefined;
  for (const step in b) {
    const node = b[step] ?? emptySet;
    const other = a[step];
    const both = other === undefined ? node : unionNodes(other, node);
    if (both !== other) (result ??= { ...a })[step] = both;
  }
  return result ?? a;
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const isInSet = isMember(a) || isMember(b);
  const all = union(a, b);
  if (all === a && isInSet === isMember(a)) return a;
  const { ".": _, ...below } = all;
  return makeNode(below, isInSet) ?? emptySet;
}

/** What is in `a` but not in `b`; `a` itself if that is all of it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  let isSame = true;
  const result: Steps = {};
  for (const step in a) {
    const node = a[step] ?? emptySet;
    const other = b[step];
    const rest = other === undefined || step === "." ? node : differenceOfNodes(node, other);
    if (rest !== node) isSame = false;
    if (rest !== undefined) result[step] = rest;
  }
  return isSame ? a : result;
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const isInSet = isMember(a) && !isMember(b);
  const rest = difference(a, b);
  if (rest === a && isInSet === isMember(a)) return a;
  const { ".": _, ...below } = rest;
  return makeNode(below, isInSet);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Steps = {};
  for (const [step, node] of Object.entries(a)) {
    const other = b[step];
    if (other === undefined || step === ".") continue;
    const common = makeNode(intersection(node, other), isMember(node) && isMember(other));
    if (common !== undefined) result[step] = common;
  }
  return result;
}

/** Every path of the set as upstream writes it: `.spec.containers[name="a"].image`. */
export function pathTexts(set: FieldSet, prefix = ""): string[] {
  const texts: string[] = [];
  for (const [step, node] of Object.entries(set)) {
    if (step === ".") continue;
    const path = prefix + stepText(step);
    if (isMember(node)) texts.push(path);
    texts.push(...pathTexts(node, path));
  }
  return texts;
}

function stepText(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith("f:")) return `.${rest}`;
  if (step.startsWith("v:")) return `[=${rest}]`;
  if (step.startsWith("i:")) return `[${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}

/** The same set with its steps in order, as it is stored; the set itself if it is in order. */
export function sortedSet(set: FieldSet): FieldSet {
  if (isSorted(set)) return set;
  const result: Steps = {};
  for (const step of Object.keys(set).sort()) result[step] = sortedSet(set[step] ?? emptySet);
  return result;
}

function isSorted(set: FieldSet): boolean {
  let last = "";
  for (const step in set) {
    if (step < last || !isSorted(set[step] ?? emptySet)) return false;
    last = step;
  }
  return true;
}
