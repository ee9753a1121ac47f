// The rules for Kubernetes' extensions of schemas: unknown fields, embedded resources, list and map types.
import { type FieldError, field } from "../../../machinery/index.ts";
import { itemsOf, keepsUnknown, type Schema } from "./schema.ts";

const scalars = new Set(["boolean", "integer", "number", "string"]);

/** Checks the extensions of one node. */
export function checkExtensions(errors: FieldError[], schema: Schema, path: string): void {
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    errors.push(field.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  checkEmbedded(errors, schema, path);
  checkListType(errors, schema, path);
  checkMapType(errors, schema, path);
  if (schema.nullable === true && schema["x-kubernetes-int-or-string"] !== true && schema.type === undefined && !keepsUnknown(schema))
    errors.push(field.forbidden(`${path}.nullable`, "nullable cannot be set without a type"));
}

function checkEmbedded(errors: FieldError[], schema: Schema, path: string): void {
  if (schema["x-kubernetes-embedded-resource"] !== true) return;
  if (schema.type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(
      schema.type === undefined || schema.type === ""
        ? field.required(`${path}.type`, detail)
        : field.invalid(`${path}.type`, schema.type, detail),
    );
  }
  if (!keepsUnknown(schema) && Object.keys(schema.properties ?? {}).length === 0)
    errors.push(
      field.required(
        `${path}.properties`,
        "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
      ),
    );
}

function checkListType(errors: FieldError[], schema: Schema, path: string): void {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  if (listType === undefined || listType === "") {
    if (keys.length > 0) errors.push(field.required(at, "must be map if x-kubernetes-list-map-keys is non-empty"));
    return;
  }
  if (!["atomic", "set", "map"].includes(listType)) {
    errors.push(field.notSupported(at, listType, ["atomic", "set", "map"]));
    return;
  }
  if (schema.type !== "array")
    errors.push(field.invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"));
  if (listType === "map") checkListKeys(errors, schema, path);
  else if (keys.length > 0) errors.push(field.invalid(at, listType, "must be map if x-kubernetes-list-map-keys is non-empty"));
  if (listType === "set") checkSetItems(errors, schema, path);
}

function checkSetItems(errors: FieldError[], schema: Schema, path: string): void {
  const items = itemsOf(schema);
  const at = `${path}.items`;
  if (items?.nullable === true) errors.push(field.forbidden(`${at}.nullable`, "cannot be nullable when x-kubernetes-list-type is set"));
  if (items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    errors.push(
      field.invalid(
        `${at}.x-kubernetes-map-type`,
        items["x-kubernetes-map-type"],
        "must be atomic as item of a list with x-kubernetes-list-type=set",
      ),
    );
  if (items?.type === "array" && items["x-kubernetes-list-type"] !== undefined && items["x-kubernetes-list-type"] !== "atomic")
    errors.push(
      field.invalid(
        `${at}.x-kubernetes-list-type`,
        items["x-kubernetes-list-type"],
        "must be atomic as item of a list with x-kubernetes-list-type=set",
      ),
    );
}

function checkListKeys(errors: FieldError[], schema: Schema, path: string): void {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const items = itemsOf(schema);
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(field.required(at, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) {
    errors.push(field.required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
    return;
  }
  if (items.type !== "object")
    errors.push(field.invalid(`${path}.items.type`, items.type ?? "", "must be object if parent array's x-kubernetes-list-type is map"));
  for (const [index, key] of keys.entries()) {
    const property = items.properties?.[key];
    if (keys.indexOf(key) !== index) errors.push(field.duplicate(`${at}[${index}]`, key));
    if (property === undefined) {
      errors.push(field.invalid(`${at}[${index}]`, key, "entries must all be names of item properties"));
      continue;
    }
    if (!scalars.has(property.type ?? ""))
      errors.push(
        field.invalid(
          `${path}.items.properties[${key}].type`,
          property.type ?? "",
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      );
    const isRequired = (items.required ?? []).includes(key) || property.default !== undefined;
    if (!isRequired)
      errors.push(
        field.required(
          `${path}.items.properties[${key}].default`,
          "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
      );
  }
}

function checkMapType(errors: FieldError[], schema: Schema, path: string): void {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType === undefined || mapType === "") return;
  if (mapType !== "atomic" && mapType !== "granular")
    errors.push(field.notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  if (schema.type !== "object")
    errors.push(field.invalid(`${path}.type`, schema.type ?? "", "must be object if x-kubernetes-map-type is specified"));
}
