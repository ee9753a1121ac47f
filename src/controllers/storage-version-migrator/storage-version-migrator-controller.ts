// Migrates resources: writes every object of a resource once, so that it is stored in the version of today.
import { type ResourceRef, resources } from "../../api/index.ts";
import { timestamp } from "../../base/index.ts";
import { retryOnConflict, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isConflict, isNotFound, type KubeObject } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { begun, definitionBegun, definitionEnded, ended, isUnderWay, type Migration, type MigrationEnd, nextMigration } from "./plan.ts";

export interface StorageVersionMigratorOptions {
  /** Every resource that can be listed and written, in the version in which it is stored. */
  readonly resources: () => readonly ResourceRef<KubeObject>[];
}

const NAME = "storage-version-migrator-controller";
const PAGE_SIZE = 100;
/** How long a resource may be unknown that was perhaps defined together with its migration. */
const PATIENCE_MS = 60_000;

const keyOf = ({ spec }: Migration) => `${spec?.resource.resource}.${spec?.resource.group ?? ""}`;

/** @see kubernetes `pkg/controller/storageversionmigrator` */
export function storageVersionMigratorController(context: ControllerContext, options: StorageVersionMigratorOptions): Controller {
  const { clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const migrations = informers.informer(resources.storageversionmigrations);
  const add = (migration: Migration) => queue.add(keyOf(migration));
  migrations.onChange({ added: add, updated: (_, migration) => add(migration), deleted: add });
  const migrator = new Migrator(context);
  const reconcile = async (key: string, signal: AbortSignal) => {
    const migration = nextMigration(migrations.lister.list().filter((other) => keyOf(other) === key));
    if (migration === undefined) return undefined;
    const resource = options.resources().find((other) => `${other.resource}.${other.group}` === key);
    if (resource !== undefined) return await migrator.migrate(migration, resource, signal);
    const waitMs = Date.parse(migration.metadata.creationTimestamp ?? "") + PATIENCE_MS - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    return await migrator.end(migration, { type: "Failed", message: "resource does not exist in discovery" }, signal);
  };
  return keyedController({ name: NAME, context, queue, reconcile });
}

class Migrator {
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  /** A migration that another process has begun is done all over: what it has written is not written again. */
  async migrate(migration: Migration, resource: ResourceRef<KubeObject>, signal: AbortSignal): Promise<undefined> {
    const { client, clock, logger } = this.#context;
    const definitionName = `${resource.resource}.${resource.group}`;
    let running = migration;
    if (!isUnderWay(migration)) {
      const { resourceVersion } = await client.list(resource, { limit: 1, signal });
      const now = timestamp(clock);
      await this.#changeDefinition(definitionName, (definition) => definitionBegun(definition, migration.metadata.name ?? "", now), signal);
      running = await this.#writeStatus(begun(migration, resourceVersion, now), signal);
    }
    const end = await this.#rewriteAll(resource, signal).then(
      (): MigrationEnd => ({ type: "Succeeded", message: "" }),
      (error: unknown): MigrationEnd => {
        signal.throwIfAborted();
        logger.warn("cannot migrate", { resource: definitionName, error });
        return { type: "Failed", message: "migration encountered unhandled error" };
      },
    );
    const now = timestamp(clock);
    await this.#changeDefinition(definitionName, (definition) => definitionEnded(definition, end, now), signal);
    return await this.end(running, end, signal);
  }

  async end(migration: Migration, end: MigrationEnd, signal: AbortSignal): Promise<undefined> {
    await this.#writeStatus(ended(migration, end, timestamp(this.#context.clock)), signal);
  }

  #writeStatus(migration: Migration, signal: AbortSignal): Promise<Migration> {
    return this.#context.client.update(resources.storageversionmigrations, migration, { subresource: "status", signal });
  }

  async #rewriteAll(resource: ResourceRef<KubeObject>, signal: AbortSignal): Promise<void> {
    for (let next: string | undefined; ; ) {
      const page = await this.#context.client.list(resource, { limit: PAGE_SIZE, continue: next, signal });
      await Promise.all(page.items.map((object) => this.#rewrite(resource, object, signal)));
      if (page.continue === undefined || page.continue === "") return;
      next = page.continue;
    }
  }

  /** An empty change: the server stores the object if it would be stored otherwise than it is. */
  async #rewrite(resource: ResourceRef<KubeObject>, { metadata }: DeepReadonly<KubeObject>, signal: AbortSignal): Promise<void> {
    const { name = "", namespace, uid, resourceVersion } = metadata;
    try {
      const type = "application/merge-patch+json";
      await this.#context.client.patch(
        resource,
        name,
        { metadata: { uid, resourceVersion } },
        { namespace, type, fieldManager: NAME, signal },
      );
    } catch (error) {
      // It was written or deleted in between, which is as good.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }

  /** Built-in resources have no definition, and nothing to be told. */
  async #changeDefinition(name: string, change: (definition: Definition) => Definition, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const attempt = async () => {
      const definition = await client.get(resources.customresourcedefinitions, name, { signal });
      await client.update(resources.customresourcedefinitions, change(definition), { subresource: "status", signal });
    };
    try {
      await retryOnConflict(attempt, { ...this.#context, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

type Definition = Parameters<typeof definitionBegun>[0];
