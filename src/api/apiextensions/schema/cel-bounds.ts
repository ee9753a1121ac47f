// How large values that fit a schema can be at most, for the estimate of what rules cost: as its limits say, and else as much as
// fits into one request.
// @see kubernetes `apiserver/pkg/cel/common/schemas.go`, `apiserver/pkg/cel/limits.go`
import type { CelBound } from "../../../machinery/index.ts";
import { celName } from "./cel-types.ts";
import { itemsOf, type Schema, valuesOf } from "./schema.ts";

/** Upstream's limit for one request. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

/** In a request a text has quotes, and a list or object its brackets. */
const BRACKETS = 2;
/** A key of one character, in JSON: quotes, colon, comma. */
const SHORTEST_KEY = 6;
/** UTF-8 has up to four bytes for a character. */
const BYTES_PER_CHARACTER = 4;
const longest: Readonly<Record<string, number>> = { duration: 32, date: 12, "date-time": 32 };
const shortest: Readonly<Record<string, number>> = { duration: 3, date: 12, "date-time": 21 };

const upTo = (max: number) => ({ min: 0, max: Math.max(0, max) });
const scalar: CelBound = { size: upTo(0) };
const name: CelBound = { size: upTo(MAX_REQUEST_BYTES - BRACKETS) };
const envelope: readonly (readonly [string, CelBound])[] = [
  ["apiVersion", name],
  ["kind", name],
  [
    "metadata",
    {
      size: upTo(0),
      fields: new Map([
        ["name", name],
        ["generateName", name],
      ]),
    },
  ],
];

/** A root and an embedded resource have their envelope as well. */
export function celBoundOf(schema: Schema, { isRoot = false }: { readonly isRoot?: boolean } = {}): CelBound {
  if (schema["x-kubernetes-int-or-string"] === true) return { size: upTo(maxText(schema)) };
  switch (schema.type) {
    case "array": {
      const items = itemsOf(schema);
      if (items === undefined) return scalar;
      const most = Math.floor((MAX_REQUEST_BYTES - BRACKETS) / (minBytes(items) + 1));
      return { size: upTo(schema.maxItems ?? most), each: celBoundOf(items) };
    }
    case "object":
      return objectBound(schema, isRoot || schema["x-kubernetes-embedded-resource"] === true);
    case "string":
      return { size: upTo(maxText(schema)) };
    default:
      return scalar;
  }
}

function objectBound(schema: Schema, hasEnvelope: boolean): CelBound {
  const values = valuesOf(schema);
  if (values !== undefined) {
    const most = Math.floor((MAX_REQUEST_BYTES - BRACKETS) / (minBytes(values) + SHORTEST_KEY));
    return { size: upTo(schema.maxProperties ?? most), each: celBoundOf(values), keys: scalar };
  }
  const fields = new Map(hasEnvelope ? envelope : []);
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const field = celName(property);
    if (field !== undefined && !fields.has(field)) fields.set(field, celBoundOf(child));
  }
  return { size: upTo(0), fields };
}

function maxText({ format = "", maxLength, enum: values = [], "x-kubernetes-int-or-string": isIntOrString }: Schema): number {
  const limit = isIntOrString === true ? undefined : longest[format];
  if (limit !== undefined) return limit;
  if (maxLength !== undefined) return format === "byte" ? maxLength : maxLength * BYTES_PER_CHARACTER;
  if (values.length === 0 || format === "byte" || isIntOrString === true) return MAX_REQUEST_BYTES - BRACKETS;
  return Math.max(...values.map((value) => (typeof value === "string" ? Buffer.byteLength(value) : 0)));
}

/** How long a value is in JSON at least: with all that is required and has no default. */
export function minBytes(schema: Schema): number {
  if (schema["x-kubernetes-int-or-string"] === true) return 1;
  switch (schema.type) {
    case "string":
      return shortest[schema.format ?? ""] ?? BRACKETS;
    case "boolean":
      return 4;
    case "array":
      return BRACKETS;
    case "object": {
      if (valuesOf(schema) !== undefined) return BRACKETS;
      const required = Object.entries(schema.properties ?? {}).filter(
        ([property, child]) => schema.required?.includes(property) === true && child.default === undefined,
      );
      return required.reduce((bytes, [property, child]) => bytes + property.length + minBytes(child) + 4, BRACKETS);
    }
    default:
      return 1;
  }
}
