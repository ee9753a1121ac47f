// Whether a schema is structural: every field has a type, and logic (allOf, anyOf, oneOf, not) only restricts values of fields
// that are specified outside of it. @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
import { compileRe2, type FieldError, field, Re2Error } from "../../../machinery/index.ts";
import { childSchemas, isEnvelope, itemsOf, type Schema, valuesOf } from "./schema.ts";
import { checkExtensions } from "./structural-extensions.ts";

const types = ["array", "boolean", "integer", "number", "object", "string"];
const unsupported = ["definitions", "dependencies", "patternProperties", "additionalItems", "id", "$ref"] as const;
type Role = "root" | "property" | "items" | "values";
const emptyTypeTexts: Readonly<Record<Role, string>> = {
  root: "must not be empty at the root",
  property: "must not be empty for specified object fields",
  items: "must not be empty for specified array items",
  values: "must not be empty for specified object fields",
};

/** What keeps the schema of a version from being structural. */
export function validateStructural(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkNode(errors, schema, { path, role: "root" });
  checkMetadata(errors, schema, path);
  return errors;
}

function checkNode(errors: FieldError[], schema: Schema, { path, role }: { path: string; role: Role }): void {
  checkType(errors, schema, { path, role });
  checkUnsupported(errors, schema, path);
  checkExtensions(errors, schema, path);
  checkValueRules(errors, schema, path);
  checkLogic(errors, schema, path);
  for (const child of childSchemas(schema, path)) checkNode(errors, child.schema, child);
}

function checkType(errors: FieldError[], schema: Schema, { path, role }: { path: string; role: Role }): void {
  const { type = "" } = schema;
  const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
  if (role === "root" && type !== "object") {
    if (type === "") errors.push(field.required(`${path}.type`, emptyTypeTexts.root));
    else errors.push(field.invalid(`${path}.type`, type, "must be object at the root"));
    return;
  }
  if (type === "null") errors.push(field.forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  else if (type === "") {
    if (!isIntOrString && schema["x-kubernetes-preserve-unknown-fields"] !== true)
      errors.push(field.required(`${path}.type`, emptyTypeTexts[role]));
  } else if (!types.includes(type)) errors.push(field.notSupported(`${path}.type`, type, types));
  if (isIntOrString && type !== "") errors.push(field.invalid(`${path}.type`, type, "must be empty if x-kubernetes-int-or-string is true"));
  if (type === "array" && itemsOf(schema) === undefined && schema.items === undefined)
    errors.push(field.required(`${path}.items`, "must be specified"));
}

function checkUnsupported(errors: FieldError[], schema: Schema, path: string): void {
  for (const name of unsupported)
    if (schema[name] !== undefined) errors.push(field.forbidden(`${path}.${name}`, `${name} is not supported`));
  if (schema.uniqueItems === true)
    errors.push(field.forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
  if (schema.additionalProperties === false)
    errors.push(field.forbidden(`${path}.additionalProperties`, "additionalProperties cannot be set to false"));
  if (Array.isArray(schema.items)) errors.push(field.forbidden(`${path}.items`, "items must be a schema object and not an array"));
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  if (hasProperties && schema.additionalProperties !== undefined && schema.additionalProperties !== false)
    errors.push(field.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
}

function checkValueRules(
  errors: FieldError[],
  { pattern, required = [], minimum, maximum, minLength, maxLength, minItems, maxItems }: Schema,
  path: string,
): void {
  if (pattern !== undefined) {
    try {
      compileRe2(pattern);
    } catch (err) {
      if (!(err instanceof Re2Error)) throw err;
      errors.push(field.invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${err.message}`));
    }
  }
  for (const [name, value] of Object.entries({ minLength, maxLength, minItems, maxItems }))
    if (value !== undefined && value < 0) errors.push(field.invalid(`${path}.${name}`, value, "must be greater than or equal to 0"));
  if (minimum !== undefined && maximum !== undefined && minimum > maximum)
    errors.push(field.invalid(`${path}.minimum`, minimum, "minimum must be less than or equal to maximum"));
  for (const [index, name] of required.entries()) if (name === "") errors.push(field.required(`${path}.required[${index}]`));
}

/** Within logic only restrictions may stand, and only of what is specified outside. */
function checkLogic(errors: FieldError[], schema: Schema, path: string): void {
  for (const name of ["allOf", "anyOf", "oneOf"] as const)
    for (const [index, branch] of (schema[name] ?? []).entries())
      checkBranch(errors, branch, { outer: schema, path: `${path}.${name}[${index}]`, outerPath: path });
  if (schema.not !== undefined) checkBranch(errors, schema.not, { outer: schema, path: `${path}.not`, outerPath: path });
}

interface Branch {
  readonly outer: Schema | undefined;
  readonly path: string;
  readonly outerPath: string;
}

const structuralOnly = [
  "description",
  "type",
  "default",
  "additionalProperties",
  "nullable",
  "title",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
] as const;

function checkBranch(errors: FieldError[], branch: Schema, { outer, path, outerPath }: Branch): void {
  const isIntOrString = outer?.["x-kubernetes-int-or-string"] === true;
  for (const name of structuralOnly) {
    const value = branch[name];
    const isSet = value !== undefined && value !== "" && value !== false;
    if (isSet && !(name === "type" && isIntOrString)) errors.push(field.forbidden(`${path}.${name}`, "must be empty to be structural"));
  }
  for (const [name, child] of Object.entries(branch.properties ?? {})) {
    const outside = outer?.properties?.[name];
    const below = {
      outer: outside ?? (outer && valuesOf(outer)),
      path: `${path}.properties[${name}]`,
      outerPath: `${outerPath}.properties[${name}]`,
    };
    if (below.outer === undefined && outer !== undefined)
      errors.push(field.required(below.outerPath, `because it is defined in ${below.path}`));
    checkBranch(errors, child, below);
  }
  const items = itemsOf(branch);
  if (items !== undefined) {
    const outside = outer && itemsOf(outer);
    if (outside === undefined && outer !== undefined)
      errors.push(field.required(`${outerPath}.items`, `because it is defined in ${path}.items`));
    checkBranch(errors, items, { outer: outside, path: `${path}.items`, outerPath: `${outerPath}.items` });
  }
  for (const name of ["allOf", "anyOf", "oneOf"] as const)
    for (const [index, inner] of (branch[name] ?? []).entries())
      checkBranch(errors, inner, { outer, path: `${path}.${name}[${index}]`, outerPath });
  if (branch.not !== undefined) checkBranch(errors, branch.not, { outer, path: `${path}.not`, outerPath });
}

/** The metadata of objects is the server's: a schema may restrict names only. */
function checkMetadata(errors: FieldError[], schema: Schema, path: string): void {
  const metadata = schema.properties?.["metadata"];
  if (metadata !== undefined) {
    const at = `${path}.properties[metadata]`;
    const { type, description: _, properties = {}, ...rest } = metadata;
    if (type !== "object") errors.push(field.invalid(`${at}.type`, type, "must be object"));
    const isRestricted = Object.keys(properties).some((name) => name !== "name" && name !== "generateName") || Object.keys(rest).length > 0;
    if (isRestricted)
      errors.push(field.forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified"));
  }
  for (const name of ["apiVersion", "kind"]) {
    const type = schema.properties?.[name]?.type;
    if (type !== undefined && type !== "string" && isEnvelope(name))
      errors.push(field.invalid(`${path}.properties[${name}].type`, type, "must be string"));
  }
}
