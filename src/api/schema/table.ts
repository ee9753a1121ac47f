// The API table: every resource of every stable group, and every field of their types. Facts only. table.json is made by
// scripts/update-api.ts; metrics.json is written by hand, because Kubernetes' OpenAPI document leaves metrics.k8s.io out.
import { readFileSync } from "node:fs";
import type { FieldFacts, FieldType, ScalarType, TypeFacts } from "../../machinery/index.ts";

/** One subresource: the kind it speaks and its verbs. */
export interface SubresourceRow {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly type: string;
  readonly verbs: readonly string[];
}

/** One resource in one version. */
export interface ResourceRow {
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  /** The plural, as in paths. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: Readonly<Record<string, SubresourceRow>>;
  readonly type: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface FieldRow {
  readonly t: string;
  readonly req?: 1;
  readonly list?: "atomic" | "set" | "map";
  readonly keys?: readonly string[];
  readonly map?: "granular" | "atomic";
  readonly strategy?: readonly ("merge" | "replace" | "retainKeys")[];
  readonly merge?: string;
  readonly nz?: 1;
  readonly def?: unknown;
  readonly pb?: number;
  readonly in?: readonly number[];
  readonly or?: "list" | "boolean" | "strings";
}

interface Table {
  readonly resources: readonly ResourceRow[];
  readonly types: Readonly<Record<string, Readonly<Record<string, FieldRow>>>>;
}

function readTable(file: string): Table {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Table;
}

const generated = readTable("./table.json");
const metrics = readTable("./metrics.json");
const table: Table = {
  resources: [...generated.resources, ...metrics.resources],
  types: { ...generated.types, ...metrics.types },
};
const resolved = new Map<string, TypeFacts>();

export const resourceRows: readonly ResourceRow[] = table.resources;
export const typeNames: readonly string[] = Object.keys(table.types);

/** The facts of a type such as `core.v1.Pod`; resolved when first asked for. */
export function typeFacts(name: string): TypeFacts {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const rows = table.types[name];
  if (rows === undefined) throw new Error(`no type ${name} in the API table`);
  const fields = new Map<string, FieldFacts>();
  const facts: TypeFacts = { name, fields };
  resolved.set(name, facts);
  for (const [field, row] of Object.entries(rows)) fields.set(field, fieldFacts(field, row));
  return facts;
}

function fieldFacts(name: string, row: FieldRow): FieldFacts {
  return {
    name,
    type: fieldType(row.t),
    isRequired: row.req === 1,
    ...(row.list === undefined ? {} : { listType: row.list }),
    ...(row.keys === undefined ? {} : { listMapKeys: row.keys }),
    ...(row.map === undefined ? {} : { mapType: row.map }),
    ...(row.strategy === undefined ? {} : { patchStrategy: row.strategy }),
    ...(row.merge === undefined ? {} : { patchMergeKey: row.merge }),
    ...(row.nz === 1 ? { isOmittedWhenZero: true } : {}),
    ...(row.def === undefined ? {} : { defaultValue: row.def }),
    ...(row.pb === undefined ? {} : { protobufNumber: row.pb }),
    ...(row.in === undefined ? {} : { protobufEmbeddedIn: row.in }),
    ...(row.or === undefined ? {} : { protobufUnion: row.or }),
  };
}

/** The notation of table.json: a scalar's name, `@type`, `[]items` or `{}values`. */
function fieldType(notation: string): FieldType {
  if (notation.startsWith("@")) return { kind: "object", type: typeFacts(notation.slice(1)) };
  if (notation.startsWith("[]")) return { kind: "list", items: fieldType(notation.slice(2)) };
  if (notation.startsWith("{}")) return { kind: "map", values: fieldType(notation.slice(2)) };
  return { kind: "scalar", scalar: notation as ScalarType };
}
