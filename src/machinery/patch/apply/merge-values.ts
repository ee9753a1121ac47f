// Merging an applied configuration into a live object, and taking out what nobody owns any more. Results share with
// their inputs what stays the same.
import { deepEqual } from "../../equality.ts";
import { isObject, type JsonObject, setMember } from "../patch-error.ts";
import { emptySet, type FieldSet, isEmptySet, isMember, makeNode } from "./field-set.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, type Shape } from "./shape.ts";

/** `live` with all that `applied` says: `live` itself if that is nothing new. */
export function mergeValues(live: unknown, applied: unknown, shape: Shape): unknown {
  if (hasMembers(live, shape) && hasMembers(applied, shape)) return mergeMembers(live, applied, shape);
  if (hasElements(live, shape) && hasElements(applied, shape)) return mergeElements(live, applied, shape);
  return deepEqual(live, applied) ? live : applied;
}

function mergeMembers(live: JsonObject, applied: JsonObject, shape: Shape): JsonObject {
  let result: Record<string, unknown> | undefined;
  for (const key in applied) {
    const value = applied[key];
    if (value === undefined) continue;
    const merged = mergeValues(live[key], value, memberShape(shape, key));
    if (merged !== live[key]) setMember((result ??= { ...live }), key, merged);
  }
  return result ?? live;
}

/** Applied elements in their order; live ones stay before the applied element that they preceded. */
function mergeElements(live: readonly unknown[], applied: readonly unknown[], shape: Shape): readonly unknown[] {
  const items = itemShape(shape);
  const liveElements = new Map(live.map((element) => [elementName(element, shape), element]));
  const appliedElements = new Map<string, unknown>();
  for (const element of applied) {
    const step = elementName(element, shape);
    if (!appliedElements.has(step)) appliedElements.set(step, element);
  }
  const liveSteps = [...liveElements.keys()];
  const result: unknown[] = [];
  const taken = new Set<string>();
  let next = 0;
  const takeLiveOnly = () => {
    for (; next < liveSteps.length; next++) {
      const step = liveSteps[next] ?? "";
      if (appliedElements.has(step) && !taken.has(step)) return;
      if (!appliedElements.has(step)) result.push(liveElements.get(step));
    }
  };
  for (const [step, element] of appliedElements) {
    takeLiveOnly();
    taken.add(step);
    result.push(liveElements.has(step) ? mergeValues(liveElements.get(step), element, items) : element);
  }
  takeLiveOnly();
  const isSame = result.length === live.length && result.every((element, index) => element === live[index]);
  return isSame ? live : result;
}

/** `value` without the members and elements that `set` names; what is emptied by this goes too. */
export function removeFields(value: unknown, set: FieldSet, shape: Shape): unknown {
  if (isEmptySet(set)) return value;
  if (hasMembers(value, shape)) {
    const result: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) {
      const kept = keep(member, set[`f:${key}`], memberShape(shape, key));
      if (kept !== undefined) setMember(result, key, kept);
    }
    return Object.keys(result).length === 0 ? undefined : result;
  }
  if (!hasElements(value, shape)) return value;
  const rest = value.map((element) => keep(element, set[elementName(element, shape)], itemShape(shape)));
  const kept = rest.filter((element) => element !== undefined);
  return kept.length === 0 ? undefined : kept;
}

function keep(value: unknown, node: FieldSet | undefined, shape: Shape): unknown {
  if (node === undefined) return value;
  return isMember(node) ? undefined : removeFields(value, node, shape);
}

/** The set, with every declared field on the way to a member made a member: a struct goes when its last owner does. */
export function withNamedFields(set: FieldSet, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const [step, node] of Object.entries(set)) {
    if (step === ".") continue;
    const key = step.startsWith("f:") ? step.slice(2) : undefined;
    const of = key === undefined ? itemShape(shape) : memberShape(shape, key);
    const below = withNamedFields(node, of);
    result[step] = makeNode(below, isMember(node) || (key !== undefined && isDeclared(shape, key))) ?? emptySet;
  }
  return result;
}

/** The object without `names` at its top. */
export function withoutFields(object: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || !isObject(object)) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !names.includes(key)));
}
