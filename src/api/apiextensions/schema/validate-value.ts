// Holds a value against a schema and says what does not fit, in upstream's words. What an update leaves as it was is not
// reported again, so that a stricter schema does not lock objects that are there already (ratcheting).
// @see kubernetes `apiextensions-apiserver/pkg/apiserver/validation`
import { compileRe2, deepEqual, type FieldError, field } from "../../../machinery/index.ts";
import { correlated } from "./correlate.ts";
import { hasFormat } from "./formats.ts";
import { isObject, itemsOf, type JsonObject, memberOf, type Schema } from "./schema.ts";

/** All problems of `value`; `old` is what stands now, where there is something. */
export function validateValue(value: unknown, schema: Schema, { path = "", old }: { path?: string; old?: unknown } = {}): FieldError[] {
  if (old !== undefined && deepEqual(value, old)) return [];
  if (value === null && schema.nullable === true) return [];
  const wrongType = typeProblem(value, schema, path);
  if (wrongType !== undefined) return [wrongType];
  return [...ownProblems(value, schema, path), ...logicProblems(value, schema, path), ...childProblems(value, schema, { path, old })];
}

function bodyPath(path: string): string {
  return path === "" ? "" : path;
}

function wrong(path: string, value: unknown, text: string): FieldError {
  return field.invalid(path, value, `${bodyPath(path)} in body ${text}`);
}

/** The type of a value in the words of JSON schema. */
export function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeProblem(value: unknown, schema: Schema, path: string): FieldError | undefined {
  const actual = jsonType(value);
  const report = (wanted: string) =>
    field.typeInvalid(path, actual, `${bodyPath(path)} in body must be of type ${wanted}: ${JSON.stringify(actual)}`);
  if (schema["x-kubernetes-int-or-string"] === true)
    return actual === "integer" || actual === "string" ? undefined : report("integer,string");
  const { type } = schema;
  if (type === undefined || type === "" || type === actual || (type === "number" && actual === "integer")) return undefined;
  return report(type);
}

function ownProblems(value: unknown, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (typeof value === "number") numberProblems(errors, value, schema, path);
  else if (typeof value === "string") stringProblems(errors, value, schema, path);
  else if (Array.isArray(value)) listProblems(errors, value, schema, path);
  else if (isObject(value)) objectProblems(errors, value, schema, path);
  if (schema.enum !== undefined && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    const supported = schema.enum.map((allowed) => (typeof allowed === "string" ? allowed : JSON.stringify(allowed)));
    errors.push(field.notSupported(path, value, supported));
  }
  return errors;
}

function numberProblems(errors: FieldError[], value: number, schema: Schema, path: string): void {
  const { maximum, minimum, exclusiveMaximum = false, exclusiveMinimum = false, multipleOf } = schema;
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    errors.push(wrong(path, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`));
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    errors.push(wrong(path, value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) errors.push(wrong(path, value, `should be a multiple of ${multipleOf}`));
  const range = integerRanges[schema.format ?? ""];
  if (range !== undefined && (value < range.min || value > range.max))
    errors.push(wrong(path, value, `must be of type ${schema.format}: ${JSON.stringify(jsonType(value))}`));
}

const integerRanges: Readonly<Record<string, { min: number; max: number }>> = { int32: { min: -(2 ** 31), max: 2 ** 31 - 1 } };

/** Without the errors of binary fractions: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function stringProblems(errors: FieldError[], value: string, schema: Schema, path: string): void {
  const { maxLength, minLength, pattern, format } = schema;
  const length = [...value].length;
  if (maxLength !== undefined && length > maxLength) errors.push(field.tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) errors.push(wrong(path, value, `should be at least ${minLength} chars long`));
  if (pattern !== undefined && !compileRe2(pattern).matcher(value).find()) errors.push(wrong(path, value, `should match '${pattern}'`));
  if (format !== undefined && !hasFormat(value, format))
    errors.push(field.typeInvalid(path, value, `${bodyPath(path)} in body must be of type ${format}: ${JSON.stringify(value)}`));
}

function listProblems(errors: FieldError[], value: readonly unknown[], schema: Schema, path: string): void {
  const { maxItems, minItems } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(field.tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems) errors.push(wrong(path, value.length, `should have at least ${minItems} items`));
  errors.push(...duplicateProblems(value, schema, path));
}

/** Elements of sets and keys of maps must be different. */
function duplicateProblems(value: readonly unknown[], schema: Schema, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const identity =
      listType === "map" && isObject(item)
        ? Object.fromEntries(keys.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]])))
        : item;
    const text = JSON.stringify(identity);
    if (seen.has(text)) return [field.duplicate(`${path}[${index}]`, identity)];
    seen.add(text);
    return [];
  });
}

function objectProblems(errors: FieldError[], value: JsonObject, schema: Schema, path: string): void {
  const { maxProperties, minProperties, required = [] } = schema;
  for (const name of required) if (value[name] === undefined) errors.push(field.required(join(path, name)));
  const count = Object.keys(value).length;
  if (maxProperties !== undefined && count > maxProperties) errors.push(field.tooMany(path, count, maxProperties));
  if (minProperties !== undefined && count < minProperties)
    errors.push(wrong(path, count, `should have at least ${minProperties} properties`));
  if (schema["x-kubernetes-embedded-resource"] === true) embeddedProblems(errors, value, path);
}

function embeddedProblems(errors: FieldError[], { apiVersion, kind }: JsonObject, path: string): void {
  if (apiVersion === undefined || apiVersion === "") errors.push(field.required(join(path, "apiVersion"), "must not be empty"));
  if (kind === undefined || kind === "") errors.push(field.required(join(path, "kind"), "must not be empty"));
}

/** A member's path: with a dot, as upstream writes properties, or in brackets for keys of maps. */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function childProblems(value: unknown, schema: Schema, { path, old }: { path: string; old: unknown }): FieldError[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return [];
    return value.flatMap((item, index) => validateValue(item, items, { path: `${path}[${index}]`, old: correlated(schema, old, item) }));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const below = memberOf(schema, name);
    if (below === undefined) return [];
    return validateValue(member, below, { path: join(path, name), old: isObject(old) ? old[name] : undefined });
  });
}

function fits(value: unknown, schema: Schema): boolean {
  return validateValue(value, schema, { path: "x" }).length === 0;
}

function logicProblems(value: unknown, { allOf = [], anyOf = [], oneOf = [], not }: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const report = (text: string) => errors.push(field.invalid(path, value, `${JSON.stringify(path)} ${text}`));
  if (anyOf.length > 0 && !anyOf.some((schema) => fits(value, schema))) report("must validate at least one schema (anyOf)");
  if (oneOf.length > 0) {
    const count = oneOf.filter((schema) => fits(value, schema)).length;
    if (count === 0) report("must validate one and only one schema (oneOf). Found none valid");
    else if (count > 1) report(`must validate one and only one schema (oneOf). Found ${count} valid alternatives`);
  }
  const failing = allOf.flatMap((schema) => validateValue(value, schema, { path }));
  if (failing.length > 0) {
    report("must validate all the schemas (allOf)");
    errors.push(...failing);
  }
  if (not !== undefined && fits(value, not)) report("must not validate the schema (not)");
  return errors;
}
