// The schema of a custom resource as the rest of this folder reads it: what is below a node.
import type { JSONSchemaProps } from "../../types/apiextensions/v1.ts";

/** A node of a schema. */
export type Schema = JSONSchemaProps;

/** An object out of JSON. */
export type JsonObject = Record<string, unknown>;

/** Whether the value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema of a list's items. */
export function itemsOf({ items }: Schema): Schema | undefined {
  return isObject(items) ? (items as unknown as Schema) : undefined;
}

/** The schema of the values of a map. */
export function valuesOf({ additionalProperties }: Schema): Schema | undefined {
  return isObject(additionalProperties) ? (additionalProperties as unknown as Schema) : undefined;
}

/** The schema of one member of an object: a property's, or that of all values. */
export function memberOf(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return valuesOf(schema);
}

/** Whether members that the schema does not know are kept. */
export function keepsUnknown(schema: Schema): boolean {
  return schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true;
}

/** Fields that every object has, and an embedded resource too: the schema of the object does not rule them. */
const envelope: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** Whether the member is part of the envelope of a (root or embedded) object. */
export function isEnvelope(name: string): boolean {
  return envelope.has(name);
}

/** Goes through the nodes below: properties, items and values, with the path as upstream writes it. */
export function* childSchemas(
  schema: Schema,
  path: string,
): Generator<{ schema: Schema; path: string; role: "property" | "items" | "values" }> {
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    yield { schema: child, path: `${path}.properties[${name}]`, role: "property" };
  const items = itemsOf(schema);
  if (items !== undefined) yield { schema: items, path: `${path}.items`, role: "items" };
  const values = valuesOf(schema);
  if (values !== undefined) yield { schema: values, path: `${path}.additionalProperties`, role: "values" };
}
