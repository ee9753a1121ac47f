// CustomResourceDefinition: defaults, the first status, what an update may not change, and what its deletion waits for.
import { timestamp } from "../../base/index.ts";
import { type FieldError, field } from "../../machinery/index.ts";
import { getCondition } from "../pod-state.ts";
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from "../types/apiextensions/v1.ts";
import { checkImmutable } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateDefinition } from "./definition-validation.ts";

/** Keeps a deleted definition until its instances are deleted. */
const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

function applyDefaults({ spec }: CustomResourceDefinition): void {
  if (!spec?.names) return;
  const { names } = spec;
  if (names.kind) {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const { service } = spec.conversion.webhook?.clientConfig ?? {};
  if (service) service.port ??= 443;
}

function storageVersion({ spec }: CustomResourceDefinition): string | undefined {
  return spec?.versions?.find(({ storage }) => storage)?.name;
}

/** `conditions` with the one of that type replaced or added; its time of transition stays while its status does. */
function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[] = [],
  condition: CustomResourceDefinitionCondition,
): CustomResourceDefinitionCondition[] {
  return [...conditions.filter(({ type }) => type !== condition.type), condition];
}

/** The strategy of CustomResourceDefinitions. */
export const customResourceDefinitionStrategy: KindStrategy<CustomResourceDefinition> = {
  applyDefaults,
  prepareForCreate(definition) {
    const storage = storageVersion(definition);
    const storedVersions = storage === undefined ? [] : [storage];
    definition.status = { conditions: [], acceptedNames: { plural: "", kind: "" }, storedVersions };
  },
  prepareForUpdate(definition, old) {
    keepStatus(definition, old);
    const storage = storageVersion(definition);
    const stored = old.status?.storedVersions ?? [];
    if (storage === undefined || stored.includes(storage)) return;
    definition.status = { ...old.status, storedVersions: [...stored, storage] };
  },
  prepareForStatusUpdate: keepSpec,
  validate: validateDefinition,
  validateUpdate({ spec, status }, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.group", spec.group, old.spec.group);
    if (getCondition(old.status?.conditions, "Established")?.status === "True") {
      checkImmutable(errors, "spec.scope", spec.scope, old.spec.scope);
      checkImmutable(errors, "spec.names.kind", spec.names.kind, old.spec.names.kind);
    }
    checkImmutable(errors, "spec.names.plural", spec.names.plural, old.spec.names.plural);
    checkStoredVersions(errors, spec.versions, status?.storedVersions);
    return errors;
  },
  validateStatusUpdate({ spec, status }) {
    const errors: FieldError[] = [];
    checkStoredVersions(errors, spec.versions, status?.storedVersions);
    return errors;
  },
  allowsUnconditionalUpdate: false,
  allowsPlainFinalizers: true,
  deletionFinalizers: [cleanupFinalizer],
  prepareForDeletion(definition, { clock }) {
    const terminating: CustomResourceDefinitionCondition = {
      type: "Terminating",
      status: "True",
      lastTransitionTime: timestamp(clock),
      reason: "InstanceDeletionPending",
      message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    };
    definition.status = { ...definition.status, conditions: withCondition(definition.status?.conditions, terminating) };
  },
  hasGeneration: true,
  columns: [nameColumn, column("Created At", ({ metadata }) => metadata.creationTimestamp ?? "")],
};

function checkStoredVersions(
  errors: FieldError[],
  versions: CustomResourceDefinition["spec"]["versions"],
  stored: readonly string[] = [],
): void {
  for (const [index, version] of stored.entries()) {
    if (versions.some(({ name }) => name === version)) continue;
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(field.invalid(`status.storedVersions[${index}]`, version, detail));
  }
}
