// CustomResourceDefinition: defaults, the first status, the main validation.
import { type FieldError, field, isDns1035Label, isDns1123Subdomain } from "../../machinery/index.ts";
import { getCondition } from "../pod-state.ts";
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CustomResourceDefinition } from "../types/apiextensions/v1.ts";
import { checkImmutable, checkMessages, checkOneOf } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

function applyDefaults({ spec }: CustomResourceDefinition): void {
  if (!spec?.names) return;
  spec.names.singular ||= spec.names.kind?.toLowerCase();
  if (!spec.names.listKind && spec.names.kind) spec.names.listKind = `${spec.names.kind}List`;
  spec.conversion ??= { strategy: "None" };
  const { service } = spec.conversion.webhook?.clientConfig ?? {};
  if (service) service.port ??= 443;
}

function validateNames(errors: FieldError[], { metadata, spec }: CustomResourceDefinition): void {
  const { names, group } = spec;
  if (metadata.name !== `${names?.plural}.${group}`) {
    errors.push(field.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!group) errors.push(field.required("spec.group"));
  else {
    checkMessages(errors, "spec.group", group, isDns1123Subdomain(group));
    if (group.split(".").length < 2) errors.push(field.invalid("spec.group", group, "should be a domain with at least one dot"));
  }
  if (!names?.plural) errors.push(field.required("spec.names.plural"));
  else checkMessages(errors, "spec.names.plural", names.plural, isDns1035Label(names.plural));
  if (names?.singular) checkMessages(errors, "spec.names.singular", names.singular, isDns1035Label(names.singular));
  if (!names?.kind) errors.push(field.required("spec.names.kind"));
  else checkMessages(errors, "spec.names.kind", names.kind, isDns1035Label(names.kind.toLowerCase()));
  if (names?.kind && names.kind === names.listKind) {
    errors.push(field.invalid("spec.names.listKind", names.listKind, "kind and listKind may not be the same"));
  }
  names?.shortNames?.forEach((name, i) => {
    checkMessages(errors, `spec.names.shortNames[${i}]`, name, isDns1035Label(name));
  });
}

function validateVersions(errors: FieldError[], { versions = [] }: CustomResourceDefinition["spec"]): void {
  if (versions.length === 0) errors.push(field.required("spec.versions", "must have at least one version"));
  const names = new Set<string>();
  versions.forEach((version, i) => {
    const path = `spec.versions[${i}]`;
    checkMessages(errors, `${path}.name`, version.name, isDns1035Label(version.name));
    if (names.has(version.name)) errors.push(field.duplicate(`${path}.name`, version.name));
    names.add(version.name);
    const schema = version.schema?.openAPIV3Schema;
    if (!schema) errors.push(field.required(`${path}.schema.openAPIV3Schema`, "schemas are required"));
    else if (schema.type !== "object") {
      const detail = schema.type === undefined ? "must not be empty at the root" : "must be object at the root";
      const typePath = `${path}.schema.openAPIV3Schema.type`;
      errors.push(schema.type === undefined ? field.required(typePath, detail) : field.invalid(typePath, schema.type, detail));
    }
  });
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(field.invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
  }
}

export const customResourceDefinitionStrategy: KindStrategy<CustomResourceDefinition> = {
  applyDefaults,
  prepareForCreate(definition) {
    const storage = definition.spec.versions?.find((version) => version.storage)?.name;
    definition.status = {
      conditions: [],
      acceptedNames: { plural: "", kind: "" },
      storedVersions: storage === undefined ? [] : [storage],
    };
  },
  prepareForUpdate(definition, old) {
    keepStatus(definition, old);
    const storage = definition.spec.versions?.find((version) => version.storage)?.name;
    const stored = old.status?.storedVersions ?? [];
    if (storage === undefined || stored.includes(storage)) return;
    definition.status = { ...old.status, storedVersions: [...stored, storage] };
  },
  prepareForStatusUpdate: keepSpec,
  validate(definition) {
    const errors: FieldError[] = [];
    const { spec } = definition;
    if (!spec) return [field.required("spec")];
    validateNames(errors, definition);
    checkOneOf(errors, "spec.scope", spec.scope ?? "", ["Cluster", "Namespaced"]);
    validateVersions(errors, spec);
    checkOneOf(errors, "spec.conversion.strategy", spec.conversion?.strategy, ["None", "Webhook"]);
    if (spec.conversion?.strategy === "Webhook" && !spec.conversion.webhook?.clientConfig) {
      errors.push(field.required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"));
    }
    return errors;
  },
  validateUpdate({ spec, status }, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.group", spec.group, old.spec.group);
    if (getCondition(old.status?.conditions, "Established")?.status === "True") {
      checkImmutable(errors, "spec.scope", spec.scope, old.spec.scope);
      checkImmutable(errors, "spec.names.kind", spec.names.kind, old.spec.names.kind);
    }
    checkImmutable(errors, "spec.names.plural", spec.names.plural, old.spec.names.plural);
    status?.storedVersions?.forEach((version, i) => {
      if (!spec.versions.some(({ name }) => name === version)) {
        const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
        errors.push(field.invalid(`status.storedVersions[${i}]`, version, detail));
      }
    });
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, column("Created At", ({ metadata }) => metadata.creationTimestamp ?? "")],
};
