// Fills in a schema's defaults. @see kubernetes `apiextensions-apiserver/pkg/apiserver/schema/defaulting`
import { isObject, itemsOf, type JsonObject, memberOf, type Schema } from "./schema.ts";

/** Sets what is missing (or null where null is not allowed) in `object`, a private draft, and drops the other forbidden nulls. */
export function applySchemaDefaults(object: JsonObject, schema: Schema): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const isMissing = object[name] === undefined || (object[name] === null && property.nullable !== true);
    if (!isMissing) continue;
    if (property.default !== undefined) object[name] = structuredClone(property.default);
    else if (object[name] === null) delete object[name];
  }
  for (const [name, value] of Object.entries(object)) {
    const member = memberOf(schema, name);
    if (member !== undefined) defaultValue(value, member);
  }
}

function defaultValue(value: unknown, schema: Schema): void {
  if (isObject(value)) applySchemaDefaults(value, schema);
  else if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return;
    for (const [index, item] of value.entries()) {
      if (item === null && items.nullable !== true && items.default !== undefined) value[index] = structuredClone(items.default);
      else defaultValue(item, items);
    }
  }
}
