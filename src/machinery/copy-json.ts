// Copies of JSON data.
import { setMember } from "./patch/patch-error.ts";

/** A copy of JSON data, without its undefined fields. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list = new Array(value.length);
    for (let i = 0; i < value.length; i++) list[i] = copyJson(value[i]);
    return list as T;
  }
  const copy: Record<string, unknown> = {};
  for (const name in value) {
    const child: unknown = value[name];
    if (child !== undefined) setMember(copy, name, typeof child === "object" ? copyJson(child) : child);
  }
  return copy as T;
}
