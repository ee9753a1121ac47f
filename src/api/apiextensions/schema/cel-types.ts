// The types under which CEL rules see the values of a schema.
// @see kubernetes `apiserver/pkg/cel/common` and https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#type-checking
import type { CelField, CelObjectType, CelType } from "../../../machinery/index.ts";
import { itemsOf, type Schema, valuesOf } from "./schema.ts";

const text: CelField = { type: "string" };
const metadata: CelObjectType = {
  kind: "object",
  name: "kubernetes.ObjectMeta",
  fields: new Map([
    ["name", text],
    ["generateName", text],
  ]),
};
const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(" "),
);

/** The name of a property in an expression: what is no identifier is escaped, or has no name at all. */
export function celName(property: string): string | undefined {
  if (reserved.has(property)) return `__${property}__`;
  if (!/^[A-Za-z_./-][\w./-]*$/.test(property)) return undefined;
  return property.replaceAll("__", "__underscores__").replaceAll(".", "__dot__").replaceAll("-", "__dash__").replaceAll("/", "__slash__");
}

/** The type of a node; `name` is unique within the schema. A root and an embedded resource have their envelope as well. */
export function celTypeOf(schema: Schema, name: string, { isRoot = false }: { isRoot?: boolean } = {}): CelType {
  if (schema["x-kubernetes-int-or-string"] === true) return "dyn";
  switch (schema.type) {
    case "object":
      return objectType(schema, name, isRoot || schema["x-kubernetes-embedded-resource"] === true);
    case "array":
      return listType(schema, name);
    case "string":
      return stringType(schema.format);
    case "integer":
      return "int";
    case "number":
      return "double";
    case "boolean":
      return "bool";
    default:
      return "dyn";
  }
}

function objectType(schema: Schema, name: string, hasEnvelope: boolean): CelType {
  const values = valuesOf(schema);
  if (values !== undefined) return { kind: "map", key: "string", value: celTypeOf(values, `${name}.@values`) };
  if (schema.additionalProperties === true) return { kind: "map", key: "string", value: "dyn" };
  if (schema.properties === undefined && !hasEnvelope && schema["x-kubernetes-preserve-unknown-fields"] === true) return "dyn";
  const fields = new Map<string, CelField>();
  if (hasEnvelope)
    for (const [field, type] of Object.entries({ apiVersion: "string", kind: "string", metadata } as const)) fields.set(field, { type });
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const field = celName(property);
    if (field === undefined || (hasEnvelope && fields.has(field))) continue;
    fields.set(field, { type: celTypeOf(child, `${name}.${field}`), ...(field !== property && { jsonName: property }) });
  }
  return { kind: "object", name, fields };
}

function listType(schema: Schema, name: string): CelType {
  const items = itemsOf(schema);
  const element = items === undefined ? "dyn" : celTypeOf(items, `${name}.@idx`);
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return { kind: "list", element, equality: { by: "set" } };
    case "map":
      return { kind: "list", element, equality: { by: "map", keys: schema["x-kubernetes-list-map-keys"] ?? [] } };
    default:
      return { kind: "list", element };
  }
}

function stringType(format: string | undefined): CelType {
  if (format === "byte") return "bytes";
  if (format === "date" || format === "date-time") return "timestamp";
  return format === "duration" ? "duration" : "string";
}
