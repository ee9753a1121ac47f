// StorageVersionMigration: that all objects of a resource be written anew, in the version in which they are kept today.
import { type FieldError, field, isDns1035Label } from "../../machinery/index.ts";
import type { KindStrategy } from "../strategy.ts";
import type { StorageVersionMigration } from "../types/storagemigration/v1beta1.ts";
import { checkImmutable, checkRequiredName, checkSubdomain } from "../validation/checks.ts";
import { validateConditions } from "../validation/conditions.ts";
import { dropStatus, keepSpecAndMetadata, keepStatus } from "../validation/prepare.ts";

/** The conditions with which a migration ends, as messages call them. */
const ends = { Succeeded: "success", Failed: "failed" };

function isTrue({ status }: StorageVersionMigration, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}

function validateStatusUpdate(migration: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const { resourceVersion = "", conditions = [] } = migration.status ?? {};
  const { resourceVersion: oldVersion = "" } = old.status ?? {};
  const errors = validateConditions(conditions, "status.conditions");
  if (!/^[0-9]*$/.test(resourceVersion)) {
    errors.push(field.invalid("status.resourceVersion", resourceVersion, `resource version is not well formed: ${resourceVersion}`));
  }
  if (oldVersion !== "") checkImmutable(errors, "status.resourceVersion", resourceVersion, oldVersion);
  const invalid = (detail: string) => errors.push(field.invalid("status.conditions", conditions, detail));
  if (isTrue(migration, "Succeeded") && isTrue(migration, "Failed")) {
    invalid("Both success and failed conditions cannot be true at the same time");
  }
  for (const [type, word] of Object.entries(ends)) {
    const has = isTrue(migration, type);
    if (has && isTrue(migration, "Running")) invalid(`Running condition cannot be true when ${word} condition is true`);
    const title = word.charAt(0).toUpperCase() + word.slice(1);
    if (isTrue(old, type) && !has) invalid(`${title} condition cannot be set to false once it is true`);
  }
  return errors;
}

export const storageVersionMigrationStrategy: KindStrategy<StorageVersionMigration> = {
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpecAndMetadata,
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkRequiredName(errors, "spec.resource.resource", spec?.resource?.resource, isDns1035Label);
    checkSubdomain(errors, "spec.resource.group", spec?.resource?.group);
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec", spec, old);
    return errors;
  },
  validateStatusUpdate,
};
