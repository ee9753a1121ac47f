// Merging the lists of a strategic merge patch, and putting their elements in order.
import { isObject, type JsonObject, PatchError } from "./patch-error.ts";

export interface ListMergeRules {
  /** Absent for lists of scalars. */
  readonly mergeKey: string | undefined;
  merge(element: JsonObject, change: JsonObject): JsonObject;
  /** What becomes of a patch's element that has no counterpart. */
  clean(element: unknown): unknown;
}

/** Elements of the patch come in the patch's order, the others keep their places among them as well as can be. */
export function mergeLists(original: readonly unknown[], patch: readonly unknown[], rules: ListMergeRules): unknown[] {
  const { mergeKey } = rules;
  if (!patch.some(isObject)) {
    return orderElements([...new Set([...original, ...patch])], { wanted: patch, before: original, mergeKey: undefined });
  }
  if (mergeKey === undefined) throw new PatchError("inapplicable", "cannot merge lists without merge key");
  const changes = patch.map((element) => objectElement(element));
  if (changes.some((change) => change["$patch"] === "replace")) {
    return changes.filter((change) => change["$patch"] === undefined).map((change) => rules.clean(change));
  }
  const isDeletion = (change: JsonObject) => directiveOf(change) === "delete";
  const deleted = new Set(changes.filter(isDeletion).map((change) => keyOf(change, mergeKey)));
  const merged: unknown[] = original.filter((element) => !isObject(element) || !deleted.has(element[mergeKey]));
  const added = changes.filter((change) => !isDeletion(change));
  for (const change of added) mergeElement(merged, change, { ...rules, mergeKey });
  return orderElements(merged, { wanted: added, before: original, mergeKey });
}

function mergeElement(merged: unknown[], change: JsonObject, rules: ListMergeRules & { readonly mergeKey: string }): void {
  const key = keyOf(change, rules.mergeKey);
  let isFound = false;
  for (const [index, element] of merged.entries()) {
    if (!isObject(element) || element[rules.mergeKey] !== key) continue;
    merged[index] = rules.merge(element, change);
    isFound = true;
  }
  if (!isFound) merged.push(rules.clean(change));
}

function objectElement(element: unknown): JsonObject {
  if (isObject(element)) return element;
  throw new PatchError("inapplicable", "the elements of the list are not all of the same type");
}

function directiveOf(change: JsonObject): "delete" | undefined {
  const value = change["$patch"];
  if (value === undefined || value === "delete") return value;
  if (value === "merge") throw new PatchError("inapplicable", "merging lists cannot yet be specified in the patch");
  throw new PatchError("inapplicable", `unknown patch type found: ${String(value)} in list`);
}

function keyOf(change: JsonObject, mergeKey: string): unknown {
  const key = change[mergeKey];
  if (key !== undefined) return key;
  throw new PatchError("inapplicable", `map: ${JSON.stringify(change)} does not contain declared merge key: ${mergeKey}`);
}

export interface ElementOrder {
  /** The order of the elements that it names. */
  readonly wanted: readonly unknown[];
  /** The order that the list had: where the others go. */
  readonly before: readonly unknown[];
  readonly mergeKey: string | undefined;
}

/** Each element that `wanted` does not name goes before the first named one that it used to precede. */
export function orderElements(list: readonly unknown[], { wanted, before, mergeKey }: ElementOrder): unknown[] {
  const identity = (element: unknown) => (mergeKey !== undefined && isObject(element) ? element[mergeKey] : element);
  const places = new Map(wanted.map((element, index) => [identity(element), index]));
  const earlier = new Map(before.map((element, index) => [identity(element), index]));
  const place = (element: unknown) => places.get(identity(element)) ?? 0;
  const named = list.filter((element) => places.has(identity(element))).sort((a, b) => place(a) - place(b));
  const others = list.filter((element) => !places.has(identity(element)));
  const result: unknown[] = [];
  let next = 0;
  for (const element of named) {
    const limit = earlier.get(identity(element)) ?? -1;
    while (next < others.length && (earlier.get(identity(others[next])) ?? limit) < limit) result.push(others[next++]);
    result.push(element);
  }
  return [...result, ...others.slice(next)];
}
