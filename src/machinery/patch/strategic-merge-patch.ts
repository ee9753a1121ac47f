// Strategic merge patch: a merge patch that knows from the type which lists are merged, by which key, and that has
// directives: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`.
// @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
import type { FieldFacts, FieldType, TypeFacts } from "../schema.ts";
import { mergeLists, orderElements } from "./list-merge.ts";
import { isObject, type JsonObject, PatchError, setMember } from "./patch-error.ts";

const directive = "$patch";
const retainKeys = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList/";
const orderPrefix = "$setElementOrder/";

/** Throws PatchError. `original` is not changed; the result shares with it what the patch does not touch. */
export function strategicMergePatch(original: unknown, patch: unknown, facts: TypeFacts): unknown {
  if (!isObject(patch)) throw new PatchError("malformed", "cannot restore slice from map");
  return mergeObject(isObject(original) ? original : {}, patch, { kind: "object", type: facts });
}

/** What is known of the field `key` of a value of type `type`. */
function fieldOf(type: FieldType | undefined, key: string): Pick<FieldFacts, "type" | "patchStrategy" | "patchMergeKey"> | undefined {
  if (type?.kind === "object") return type.type.fields.get(key);
  return type?.kind === "map" ? { type: type.values } : undefined;
}

export function mergeObject(original: JsonObject, patch: JsonObject, type: FieldType | undefined): JsonObject {
  const mode = patch[directive];
  if (mode === "delete") return {};
  if (mode === "replace") return withoutDirectives(patch);
  // DEVIATION: `$patch: merge` on an object is accepted as what happens anyway; upstream refuses it.
  if (mode !== undefined && mode !== "merge") {
    throw new PatchError("inapplicable", `unknown patch type found: ${String(mode)} in map: ${JSON.stringify(patch)}`);
  }
  const result = retained(original, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deletePrefix)) deleteFromList(result, key.slice(deletePrefix.length), value);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete result[key];
    else setMember(result, key, mergeField(Object.hasOwn(result, key) ? result[key] : undefined, value, fieldOf(type, key)));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(orderPrefix)) setOrder({ result, original, patch, name: key.slice(orderPrefix.length), order: value }, type);
  }
  return result;
}

/** A copy of `original`, without what `$retainKeys` does not name. */
function retained(original: JsonObject, patch: JsonObject): Record<string, unknown> {
  const keys = patch[retainKeys];
  if (keys === undefined) return { ...original };
  const kept = new Set(listOf(keys, retainKeys));
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$") || value === null || kept.has(key)) continue;
    throw new PatchError("inapplicable", "invalid patch format of retainKeys");
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function mergeField(original: unknown, patch: unknown, facts: ReturnType<typeof fieldOf>): unknown {
  const isReplaced = facts?.patchStrategy?.includes("replace") === true;
  if (isObject(patch) && isObject(original) && !isReplaced) return mergeObject(original, patch, facts?.type);
  if (Array.isArray(patch) && facts?.patchStrategy?.includes("merge") === true) {
    return mergeList(Array.isArray(original) ? original : [], patch, facts);
  }
  return withoutDirectives(patch);
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], facts: Pick<FieldFacts, "type" | "patchMergeKey">): unknown[] {
  const items = facts.type.kind === "list" ? facts.type.items : undefined;
  return mergeLists(original, patch, {
    mergeKey: facts.patchMergeKey,
    merge: (element, change) => mergeObject(element, change, items),
    clean: withoutDirectives,
  });
}

/** What a patch leaves behind where there was nothing: no directives, no nulls. */
function withoutDirectives<T>(patch: T): T {
  if (Array.isArray(patch)) {
    return patch.filter((element) => !isObject(element) || element[directive] === undefined).map(withoutDirectives) as T;
  }
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !isDirective(key)) setMember(result, key, withoutDirectives(value));
  }
  return result as T;
}

function isDirective(key: string): boolean {
  return key === directive || key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix);
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new PatchError("inapplicable", `expecting a list in ${name}`);
}

function deleteFromList(result: Record<string, unknown>, name: string, values: unknown): void {
  const unwanted = new Set(listOf(values, `${deletePrefix}${name}`));
  const list = result[name];
  if (Array.isArray(list)) result[name] = list.filter((element) => !unwanted.has(element));
}

interface Ordering {
  readonly result: Record<string, unknown>;
  readonly original: JsonObject;
  readonly patch: JsonObject;
  readonly name: string;
  readonly order: unknown;
}

function setOrder({ result, original, patch, name, order }: Ordering, type: FieldType | undefined): void {
  const list = result[name];
  if (!Array.isArray(list)) return;
  const before = Array.isArray(original[name]) ? original[name] : [];
  const mergeKey = fieldOf(type, name)?.patchMergeKey;
  const wanted = listOf(order, `${orderPrefix}${name}`);
  checkOrder(patch[name], wanted, mergeKey);
  result[name] = orderElements(list, { wanted, before, mergeKey });
}

/** Every element that the patch brings must have its place in the order. */
function checkOrder(patched: unknown, order: readonly unknown[], mergeKey: string | undefined): void {
  if (!Array.isArray(patched)) return;
  const keyOf = (element: unknown) => (mergeKey !== undefined && isObject(element) ? element[mergeKey] : element);
  const places = new Set(order.map(keyOf));
  for (const element of patched) {
    if (isObject(element) && element[directive] !== undefined) continue;
    if (places.has(keyOf(element))) continue;
    throw new PatchError(
      "inapplicable",
      `The order in patch list:\n${JSON.stringify(patched)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    );
  }
}
