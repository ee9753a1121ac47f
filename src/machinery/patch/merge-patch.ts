// JSON Merge Patch (RFC 7386). Original and result share what the patch does not touch.
import { isObject, PatchError, setMember } from "./patch-error.ts";

/** Throws PatchError when the patch is no object: it could not leave an API object. */
export function applyMergePatch(original: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw new PatchError("malformed", "Invalid JSON Patch");
  return merge(original, patch);
}

function merge(original: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(original) ? { ...original } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else setMember(result, key, merge(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}
