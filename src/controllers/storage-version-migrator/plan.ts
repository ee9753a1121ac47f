// Which of a resource's migrations is under way, and what migrations and definitions say of it. Pure.
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { StorageVersionMigration } from "../../api/types/storagemigration/v1beta1.ts";
import type { Condition, DeepReadonly } from "../../machinery/index.ts";

export type Migration = DeepReadonly<StorageVersionMigration>;
type Definition = DeepReadonly<CustomResourceDefinition>;

const ENDS = ["Succeeded", "Failed"];
const MIGRATING = "StorageMigrating";

/** How a migration ends. */
export interface MigrationEnd {
  readonly type: "Succeeded" | "Failed";
  readonly message: string;
}

export function isUnderWay(migration: Migration): boolean {
  return isTrue(migration, "Running");
}

function isTrue({ status }: Migration, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}

/** The one that runs, else the oldest that has not ended: a resource is migrated once at a time. */
export function nextMigration(migrations: readonly Migration[]): Migration | undefined {
  const open = migrations.filter((migration) => !ENDS.some((type) => isTrue(migration, type)));
  const age = ({ metadata }: Migration) => `${metadata.creationTimestamp} ${metadata.name}`;
  return open.find(isUnderWay) ?? open.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))[0];
}

/** `resourceVersion`: of the resource's list when the migration begins. */
export function begun(migration: Migration, resourceVersion: string, now: string): Migration {
  const running = condition("Running", { reason: "MigrationRunning", message: "The migration is running" }, now);
  const others = (migration.status?.conditions ?? []).filter(({ type }) => type !== "Running");
  const { resourceVersion: first = resourceVersion } = migration.status ?? {};
  return { ...migration, status: { ...migration.status, resourceVersion: first, conditions: [...others, running] } };
}

export function ended(migration: Migration, { type, message }: MigrationEnd, now: string): Migration {
  const others = (migration.status?.conditions ?? []).filter((other) => other.type !== "Running" && other.type !== type);
  const end = condition(type, { reason: `StorageVersionMigration${type}`, message }, now);
  return { ...migration, status: { ...migration.status, conditions: [...others, end] } };
}

function condition(type: string, { reason, message }: { readonly reason: string; readonly message: string }, now: string): Condition {
  return { type, status: "True", reason, message, lastTransitionTime: now };
}

/** The status with which a definition tells that its objects are being migrated. */
export function definitionBegun(definition: Definition, migrationName: string, now: string): Definition {
  return withMigrating(definition, { status: "True", reason: "MigrationRunning", message: `Migration ${migrationName} is running` }, now);
}

/**
 * The status of a definition after its migration. Its old versions are stored no longer, unless it was changed meanwhile:
 * then objects may have been written in another version.
 */
export function definitionEnded(definition: Definition, { type }: Pick<MigrationEnd, "type">, now: string): Definition {
  const { generation } = definition.metadata;
  const isSame = definition.status?.conditions?.find((c) => c.type === MIGRATING)?.observedGeneration === generation;
  if (type === "Failed")
    return withMigrating(definition, { status: "False", reason: "MigrationFailed", message: "The migration has failed" }, now);
  const what = isSame
    ? "and the stored versions have been updated"
    : "but the stored versions have not been updated due to a generation mismatch";
  const told = withMigrating(
    definition,
    { status: "False", reason: "MigrationSucceeded", message: `The migration has succeeded ${what}` },
    now,
  );
  const storedVersions = definition.spec.versions.filter(({ storage }) => storage).map(({ name }) => name);
  return isSame ? { ...told, status: { ...told.status, storedVersions } } : told;
}

function withMigrating(
  definition: Definition,
  told: { readonly status: string; readonly reason: string; readonly message: string },
  now: string,
): Definition {
  const { generation: observedGeneration } = definition.metadata;
  const others = (definition.status?.conditions ?? []).filter(({ type }) => type !== MIGRATING);
  const conditions = [...others, { type: MIGRATING, ...told, lastTransitionTime: now, observedGeneration }];
  return { ...definition, status: { ...definition.status, conditions } };
}
