// A private, changeable object on its way into the store.
import { copyJson, type DeepReadonly, deepEqual, type KubeObject } from "../../machinery/index.ts";

export type Draft = KubeObject & Record<string, unknown>;

/** A draft that begins as `object`. */
export function draftOf(object: DeepReadonly<KubeObject>): Draft {
  return copyJson(object) as unknown as Draft;
}

/** Makes the parts that `draft` shares with `old` its own, for those who change them. */
export function copyShared(draft: Draft, old: DeepReadonly<KubeObject>): void {
  for (const name in draft) if (draft[name] === fieldOf(old, name)) draft[name] = copyJson(draft[name]);
}

/**
 * Puts the parts of `old` into `draft` that both have alike: whoever compares the two later need not look at those, and both
 * take the memory of one. What is below the draft's metadata and its other members must not be changed any more.
 */
export function shareUnchanged(draft: Draft, old: Draft): void {
  for (const name in draft) if (name !== "metadata") draft[name] = shared(draft[name], old[name]);
  shareMembers(draft.metadata as Members, old.metadata as Members);
}

type Members = Record<string, unknown>;

function shareMembers(draft: Members, old: Members): void {
  for (const name in draft) draft[name] = shared(draft[name], old[name]);
}

/** `old` if both are alike, else `value` with what its parts share with those of `old`. */
function shared(value: unknown, old: unknown): unknown {
  if (typeof value !== "object" || typeof old !== "object" || value === null || old === null) return value;
  if (deepEqual(value, old)) return old;
  if (Array.isArray(value)) return Array.isArray(old) ? value.map((element, index) => shared(element, old[index])) : value;
  if (Array.isArray(old)) return value;
  const copy: Members = { ...value };
  shareMembers(copy, old as Members);
  return copy;
}

export function fieldOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}
