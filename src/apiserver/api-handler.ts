// The API server without HTTP: authorises every call and hands it to the registry.
import type {
  ApiHandler,
  ListOptions,
  PatchOptions,
  ReadOptions,
  RequestScope,
  ResourceCatalog,
  Stored,
  StoredList,
  StoredWatchEvent,
  UncheckedObject,
  WatchOptions,
  WriteOptions,
} from "../api/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { type DeleteOptions, statusError } from "../machinery/index.ts";
import type { Store } from "../storage/index.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import { AdmissionChain } from "./admission/admission-chain.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import { createObject } from "./registry/create-path.ts";
import { type Deletion, deleteCollection, deleteObject } from "./registry/delete-path.ts";
import { getObject, listObjects } from "./registry/read-path.ts";
import { authorize, type ServerContext } from "./registry/server-context.ts";
import { updateObject } from "./registry/update-path.ts";
import { watchObjects } from "./registry/watch-path.ts";
import type { EventWindowOptions } from "./watch-cache/event-window.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";

export interface ApiServerCoreOptions {
  readonly store: Store;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authorizer: Authorizer;
  /** Run behind the built-in plugins. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Freezes objects with all they hold: for tests, so that a mutation throws. */
  readonly deepFreezes?: boolean;
  /** How many recent events each resource keeps for watches. */
  readonly watchWindow?: Partial<EventWindowOptions>;
}

export class ApiServerCore implements ApiHandler {
  readonly #context: ServerContext;

  constructor(options: ApiServerCoreOptions) {
    const { store, catalog, clock, random, logger, authorizer, deepFreezes, watchWindow } = options;
    const cache = new WatchCache({ store, clock, logger, deepFreezes, window: watchWindow });
    const admission = new AdmissionChain(options.admission ?? []);
    this.#context = { store, cache, catalog, clock, random, logger, authorizer, admission, guards: new Map() };
  }

  /** Loads what is stored; works until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#context.cache.start(signal);
  }

  async get(scope: RequestScope, options: ReadOptions): Promise<Stored> {
    authorize(this.#context, scope, "get");
    return getObject(this.#context, scope, options);
  }

  async list(scope: RequestScope, options: ListOptions): Promise<StoredList> {
    authorize(this.#context, scope, "list");
    return listObjects(this.#context, scope, options);
  }

  async watch(scope: RequestScope, options: WatchOptions): Promise<AsyncIterable<readonly StoredWatchEvent[]>> {
    authorize(this.#context, scope, "watch");
    return watchObjects(this.#context, scope, options);
  }

  async create(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<Stored> {
    authorize(this.#context, scope, "create");
    return createObject(this.#context, scope, object, options);
  }

  async update(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<{ stored: Stored; created: boolean }> {
    authorize(this.#context, scope, "update");
    return updateObject(this.#context, scope, object, options);
  }

  async patch(scope: RequestScope, _patch: unknown, _options: PatchOptions): Promise<{ stored: Stored; created: boolean }> {
    authorize(this.#context, scope, "patch");
    throw statusError("UnsupportedMediaType", "the body of the request was in an unknown format");
  }

  async delete(scope: RequestScope, options: DeleteOptions): Promise<Deletion> {
    authorize(this.#context, scope, "delete");
    return deleteObject(this.#context, scope, options);
  }

  async deleteCollection(scope: RequestScope, options: DeleteOptions, selection: ListOptions): Promise<StoredList> {
    authorize(this.#context, scope, "deletecollection");
    return deleteCollection(this.#context, scope, options, selection);
  }
}
