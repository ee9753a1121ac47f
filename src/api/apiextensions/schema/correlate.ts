// Which part of the old object a part of the new one is the successor of. Elements of lists have one only where keys tell.
// @see kubernetes `apiextensions-apiserver/pkg/apiserver/validation/ratcheting.go`
import { deepEqual } from "../../../machinery/index.ts";
import { isObject, type Schema } from "./schema.ts";

/** The element of the list `old` with the same keys as `item`, when `schema` is a list with keys. */
export function correlated(schema: Schema, old: unknown, item: unknown): unknown {
  if (!Array.isArray(old) || schema["x-kubernetes-list-type"] !== "map" || !isObject(item)) return undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return old.find((candidate) => isObject(candidate) && keys.every((key) => deepEqual(candidate[key], item[key])));
}
