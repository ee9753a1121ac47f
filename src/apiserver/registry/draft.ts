// A private, changeable object on its way into the store.
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";

export type Draft = KubeObject & Record<string, unknown>;

/** A copy of JSON data, without its undefined fields. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list = new Array(value.length);
    for (let i = 0; i < value.length; i++) list[i] = copyJson(value[i]);
    return list as T;
  }
  const copy: Record<string, unknown> = {};
  const source = value as Record<string, unknown>;
  for (const name of Object.keys(source)) {
    const child = source[name];
    if (child !== undefined) copy[name] = typeof child === "object" ? copyJson(child) : child;
  }
  return copy as T;
}

/** A draft that begins as `object`. */
export function draftOf(object: DeepReadonly<KubeObject>): Draft {
  return copyJson(object) as unknown as Draft;
}

export function fieldOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}
