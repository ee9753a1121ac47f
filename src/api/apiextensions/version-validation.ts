// What must hold for one version of a CustomResourceDefinition.
import { compileJsonPath, type FieldError, field, JsonPathError } from "../../machinery/index.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
} from "../types/apiextensions/v1.ts";
import { checkRequiredOneOf } from "../validation/checks.ts";
import { memberOf, type Schema, validateSchema } from "./schema/index.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const selectableTypes = ["boolean", "integer", "string"];
const maxSelectableFields = 8;

/** Where the version stands; schemas have a path of their own. */
export interface VersionPlace {
  readonly path: string;
  readonly schemaPath: string;
  readonly scope: string;
  /** Whether the schema's rules were there before: then they may cost what they do. */
  readonly hasOldRules: boolean;
}

/** All problems of a version. */
export function validateVersion(version: CustomResourceDefinitionVersion, { path, schemaPath, hasOldRules }: VersionPlace): FieldError[] {
  const errors: FieldError[] = [];
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) errors.push(field.required(`${path}.schema.openAPIV3Schema`, "schemas are required"));
  else errors.push(...validateSchema(schema, schemaPath, { hasOldRules }));
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries())
    validateColumn(errors, column, `${path}.additionalPrinterColumns[${index}]`);
  if (version.deprecationWarning !== undefined && version.deprecated !== true)
    errors.push(field.invalid(`${path}.deprecationWarning`, version.deprecationWarning, "can only be set for deprecated versions"));
  if (version.subresources?.scale !== undefined) validateScale(errors, version.subresources.scale, `${path}.subresources.scale`);
  validateSelectableFields(errors, version, path);
  return errors;
}

function validateColumn(errors: FieldError[], { name, type, format, jsonPath }: CustomResourceColumnDefinition, path: string): void {
  if ((name ?? "") === "") errors.push(field.required(`${path}.name`));
  checkRequiredOneOf(errors, `${path}.type`, type, columnTypes);
  if (format !== undefined && format !== "" && !columnFormats.includes(format))
    errors.push(field.notSupported(`${path}.format`, format, columnFormats));
  if ((jsonPath ?? "") === "") errors.push(field.required(`${path}.jsonPath`));
  else readPath(errors, jsonPath, `${path}.jsonPath`);
}

/** The names of a path of fields; nothing, and a problem, for another path. */
function readPath(errors: FieldError[], jsonPath: string, path: string): readonly string[] | undefined {
  try {
    return compileJsonPath(jsonPath).fields;
  } catch (err) {
    if (!(err instanceof JsonPathError)) throw err;
    errors.push(field.invalid(path, jsonPath, err.message));
    return undefined;
  }
}

function validateScale(errors: FieldError[], scale: CustomResourceSubresourceScale, path: string): void {
  checkScalePath(errors, scale.specReplicasPath, { path: `${path}.specReplicasPath`, under: [".spec."], isRequired: true });
  checkScalePath(errors, scale.statusReplicasPath, { path: `${path}.statusReplicasPath`, under: [".status."], isRequired: true });
  checkScalePath(errors, scale.labelSelectorPath, { path: `${path}.labelSelectorPath`, under: [".spec.", ".status."], isRequired: false });
}

function checkScalePath(
  errors: FieldError[],
  value: string | undefined,
  rule: { path: string; under: readonly string[]; isRequired: boolean },
): void {
  const { path, under, isRequired } = rule;
  if (value === undefined || value === "") {
    if (isRequired) errors.push(field.required(path));
    return;
  }
  const fields = readPath(errors, value, path);
  if (fields === undefined || !under.some((prefix) => value.startsWith(prefix)))
    errors.push(field.invalid(path, value, `should be a json path under ${under.map((prefix) => prefix.slice(0, -1)).join(" or ")}`));
}

function validateSelectableFields(
  errors: FieldError[],
  { selectableFields = [], schema }: CustomResourceDefinitionVersion,
  path: string,
): void {
  if (selectableFields.length > maxSelectableFields)
    errors.push(field.tooMany(`${path}.selectableFields`, selectableFields.length, maxSelectableFields));
  const seen = new Set<string>();
  for (const [index, { jsonPath = "" }] of selectableFields.entries()) {
    const at = `${path}.selectableFields[${index}].jsonPath`;
    if (jsonPath === "") errors.push(field.required(at));
    else if (seen.has(jsonPath)) errors.push(field.duplicate(at, jsonPath));
    else {
      const fields = readPath(errors, jsonPath, at);
      const problem =
        fields === undefined ? "is an invalid path: must be a simple path" : selectableProblem(fields, schema?.openAPIV3Schema);
      if (problem !== undefined) errors.push(field.invalid(at, jsonPath, problem));
    }
    seen.add(jsonPath);
  }
}

function selectableProblem(fields: readonly string[], root: Schema | undefined): string | undefined {
  if (fields[0] === "metadata") return "must not point to fields in metadata";
  const target = fields.reduce<Schema | undefined>(
    (schema, name) => schema?.properties && memberOf({ properties: schema.properties }, name),
    root,
  );
  if (target === undefined) return "is an invalid path: does not refer to a valid field";
  return selectableTypes.includes(target.type ?? "")
    ? undefined
    : `must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.`;
}
