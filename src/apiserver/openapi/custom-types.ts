// The types of custom resources in OpenAPI documents: their own schema within the envelope that every object has.
import { type Resource, typeFacts } from "../../api/index.ts";
import type { FieldFacts, TypeFacts } from "../../machinery/index.ts";
import type { Schema } from "./schema-builder.ts";

/** The type of the resource's list; undefined when it has none. `typeOf` finds built-in types. */
export function listFactsOf(resource: Resource, typeOf: (name: string) => TypeFacts | undefined): TypeFacts | undefined {
  const name = `${resource.type}List`;
  return resource.openApiSchema === undefined ? typeOf(name) : customList(name, resource.facts);
}

/** The type that a subresource speaks: that of the object, or a built-in one. */
export function subresourceFacts(resource: Resource, type: string, typeOf: (name: string) => TypeFacts | undefined): TypeFacts | undefined {
  return type === resource.type ? resource.facts : typeOf(type);
}

function customList(name: string, item: TypeFacts): TypeFacts {
  const text = (field: string): FieldFacts => ({ name: field, type: { kind: "scalar", scalar: "string" }, isRequired: false });
  const fields: readonly FieldFacts[] = [
    text("apiVersion"),
    { name: "items", type: { kind: "list", items: { kind: "object", type: item } }, isRequired: true },
    text("kind"),
    { name: "metadata", type: { kind: "object", type: typeFacts("meta.v1.ListMeta") }, isRequired: false },
  ];
  return { name, fields: new Map(fields.map((field) => [field.name, field])) };
}

/** What v2 knows no words for: kubectl's older explain and validation stumble over it. */
const unknownToV2 = new Set(["allOf", "anyOf", "oneOf", "not", "nullable"]);

/** The schema as v2 can say it. A field that may be null has no type there. */
export function schemaForV2(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([name]) => !unknownToV2.has(name));
  const { type, items, properties, additionalProperties, ...rest } = Object.fromEntries(kept);
  if (schema["nullable"] === true) return rest;
  return {
    ...rest,
    ...(type !== undefined && { type }),
    ...(items !== undefined && { items: schemaForV2(items as Schema) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties as Readonly<Record<string, Schema>>).map(([name, child]) => [name, schemaForV2(child)]),
      ),
    }),
    ...(additionalProperties !== undefined && {
      additionalProperties: typeof additionalProperties === "object" ? schemaForV2(additionalProperties as Schema) : additionalProperties,
    }),
  };
}
