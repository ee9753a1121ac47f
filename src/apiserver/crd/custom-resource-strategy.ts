// The strategy of a custom resource in one version: what a definition says in the words that the registry understands.
import {
  applySchemaDefaults,
  compileRules,
  evaluateRules,
  type KindStrategy,
  type PrintedColumn,
  type ScaleStrategy,
  type Schema,
  validateValue,
} from "../../api/index.ts";
import type { CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from "../../api/types/apiextensions/v1.ts";
import { compileJsonPath, deepEqual, type FieldError } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";
import { customColumns } from "./printer-columns.ts";

const anything: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** The schema of a version; a definition without one accepts everything. */
export function schemaOf({ schema }: CustomResourceDefinitionVersion): Schema {
  return schema?.openAPIV3Schema ?? anything;
}

/** The strategy of the version. `name` tells its type from others in messages about rules. */
export function customResourceStrategy(version: CustomResourceDefinitionVersion, name: string): KindStrategy<Draft> {
  const schema = schemaOf(version);
  const validate = schemaValidator(schema, name);
  const hasStatus = version.subresources?.status !== undefined;
  return {
    applyDefaults: (object) => applySchemaDefaults(object, schema),
    prepareForCreate(object) {
      if (hasStatus) delete object["status"];
    },
    prepareForUpdate(object, old) {
      // Without a status subresource, status is a field like any other.
      if (!hasStatus && !deepEqual(object["status"], old["status"])) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    prepareForStatusUpdate: keepAllButStatus,
    validate,
    validateStatusUpdate: validate,
    columns: customColumns(version.additionalPrinterColumns) as PrintedColumn<Draft>[],
    selectableFields: selectableFields(version),
    hasGeneration: true,
    allowsStrategicMerge: false,
    allowsPlainFinalizers: true,
    allowsUnconditionalUpdate: false,
    ...(version.subresources?.scale !== undefined && { scale: customScale(version.subresources.scale) }),
  };
}

/** Compiles the rules when the first object comes: definitions outnumber those that are used. */
function schemaValidator(schema: Schema, name: string): (object: Draft, old?: Draft) => FieldError[] {
  let rules: ReturnType<typeof compileRules> | null = null;
  return (object, old) => {
    const errors = validateValue(object, schema, { old });
    if (errors.length > 0) return errors;
    if (rules === null) rules = compileRules(schema, { name, isRoot: true });
    return rules === undefined ? [] : evaluateRules(rules, object, old);
  };
}

/** A status update leaves everything as it was but the status and who owns what. */
function keepAllButStatus(object: Draft, old: Draft): void {
  const { status, metadata } = object;
  for (const name of Object.keys(object)) delete object[name];
  Object.assign(object, structuredClone(old));
  delete object["status"];
  if (status !== undefined) object["status"] = status;
  const { managedFields, resourceVersion } = metadata;
  Object.assign(object.metadata, { managedFields, resourceVersion });
}

function selectableFields({
  selectableFields: declared = [],
}: CustomResourceDefinitionVersion): Readonly<Record<string, (object: Draft) => string>> {
  return Object.fromEntries(
    declared.map(({ jsonPath }) => {
      const path = compileJsonPath(jsonPath);
      return [jsonPath.replace(/^\./, ""), (object: Draft) => String(path.find(object)[0] ?? "")];
    }),
  );
}

function customScale({ specReplicasPath, statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale): ScaleStrategy<Draft> {
  const [spec, status] = [compileJsonPath(specReplicasPath), compileJsonPath(statusReplicasPath)];
  const selector = labelSelectorPath === undefined || labelSelectorPath === "" ? undefined : compileJsonPath(labelSelectorPath);
  return {
    specReplicas: (object) => Number(spec.find(object)[0] ?? 0),
    statusReplicas: (object) => Number(status.find(object)[0] ?? 0),
    selector: (object) => String(selector?.find(object)[0] ?? ""),
    setSpecReplicas: (object, replicas) => setField(object, spec.fields ?? [], replicas),
  };
}

function setField(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) object[first] = value;
  else setField((object[first] ??= {}) as Record<string, unknown>, rest, value);
}
