// What server-side apply and the tracking of fields need to know of a schema: the facts of its types.
import type { FieldFacts, FieldType, TypeFacts } from "../../../machinery/index.ts";
import { typeFacts } from "../../schema/table.ts";
import { itemsOf, keepsUnknown, type Schema, valuesOf } from "./schema.ts";

/** The facts of the root type: the schema's fields and those of every object. */
export function schemaFacts(name: string, schema: Schema): TypeFacts {
  return objectFacts(name, schema, { hasEnvelope: true });
}

function objectFacts(name: string, schema: Schema, { hasEnvelope }: { hasEnvelope: boolean }): TypeFacts {
  const fields = new Map<string, FieldFacts>();
  const required = new Set(schema.required);
  for (const [field, property] of Object.entries(schema.properties ?? {}))
    fields.set(field, fieldFacts(field, property, { owner: name, isRequired: required.has(field) }));
  if (hasEnvelope) {
    for (const field of ["apiVersion", "kind"])
      fields.set(field, { name: field, type: { kind: "scalar", scalar: "string" }, isRequired: false });
    fields.set("metadata", { name: "metadata", type: { kind: "object", type: typeFacts("meta.v1.ObjectMeta") }, isRequired: false });
  }
  return { name, fields, ...(keepsUnknown(schema) && { isOpen: true }) };
}

function fieldFacts(name: string, schema: Schema, { owner, isRequired }: { owner: string; isRequired: boolean }): FieldFacts {
  const listType = schema["x-kubernetes-list-type"] as FieldFacts["listType"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const mapType = schema["x-kubernetes-map-type"] as FieldFacts["mapType"];
  return {
    name,
    type: fieldType(`${owner}.${name}`, schema),
    isRequired,
    ...(listType !== undefined && { listType }),
    ...(keys !== undefined && { listMapKeys: keys }),
    ...(mapType !== undefined && { mapType }),
    ...(schema.default !== undefined && { defaultValue: schema.default }),
  };
}

function fieldType(name: string, schema: Schema): FieldType {
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "scalar", scalar: "intOrString" };
  switch (schema.type) {
    case "object": {
      const values = valuesOf(schema);
      if (values !== undefined) return { kind: "map", values: fieldType(`${name}.values`, values) };
      const hasEnvelope = schema["x-kubernetes-embedded-resource"] === true;
      if (!hasEnvelope && schema.properties === undefined && keepsUnknown(schema)) return { kind: "scalar", scalar: "any" };
      return { kind: "object", type: objectFacts(name, schema, { hasEnvelope }) };
    }
    case "array": {
      const items = itemsOf(schema);
      return { kind: "list", items: items === undefined ? { kind: "scalar", scalar: "any" } : fieldType(`${name}.items`, items) };
    }
    case "integer":
      return { kind: "scalar", scalar: "int64" };
    case "number":
      return { kind: "scalar", scalar: "double" };
    case "boolean":
      return { kind: "scalar", scalar: "boolean" };
    case "string":
      return { kind: "scalar", scalar: "string" };
    default:
      return { kind: "scalar", scalar: "any" };
  }
}
