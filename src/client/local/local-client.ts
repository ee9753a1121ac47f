// The client of components in the server's own process: each call is a function call on the API handler. Objects are
// handed through, never copied.
import type {
  ApiHandler,
  RequestScope,
  Resource,
  ResourceCatalog,
  ResourceRef,
  StoredWatchEvent,
  UncheckedObject,
  UserInfo,
} from "../../api/index.ts";
import { badRequest, type DeepReadonly, type KubeObject, StatusError, statusError } from "../../machinery/index.ts";
import type {
  CallOptions,
  Client,
  DeleteCallOptions,
  GetOptions,
  ListCallOptions,
  ObjectList,
  PatchCallOptions,
  WatchCallOptions,
  WatchEvent,
  WriteCallOptions,
} from "../client.ts";

export interface LocalClientOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  /** Who calls: authorization applies as to a request from outside. */
  readonly user: UserInfo;
  /** `name/version`; the name stands in managedFields unless a call says otherwise. */
  readonly userAgent: string;
}

type Target = CallOptions & { readonly subresource?: string | undefined; readonly fieldManager?: string | undefined };

export class LocalClient implements Client {
  readonly #handler: ApiHandler;
  readonly #catalog: ResourceCatalog;
  readonly #user: UserInfo;
  readonly #fieldManager: string;

  constructor(options: LocalClientOptions) {
    this.#handler = options.handler;
    this.#catalog = options.catalog;
    this.#user = options.user;
    this.#fieldManager = options.userAgent.split("/", 1)[0] ?? "unknown";
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: string, options: GetOptions = {}): Promise<DeepReadonly<T>> {
    const scope = this.#scope(resource, requireName(name), options);
    const stored = await this.#handler.get(scope, { resourceVersion: options.resourceVersion });
    return typed<T>(stored.object);
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: ListCallOptions = {}): Promise<ObjectList<T>> {
    const list = await this.#handler.list(this.#scope(resource, "", options), options);
    return {
      items: list.items.map((stored) => typed<T>(stored.object)),
      resourceVersion: list.resourceVersion,
      continue: list.continue,
      remainingItemCount: list.remainingItemCount,
    };
  }

  async *watch<T extends KubeObject>(
    resource: ResourceRef<T>,
    options: WatchCallOptions = {},
  ): AsyncGenerator<readonly WatchEvent<T>[], void, undefined> {
    const batches = await this.#handler.watch(this.#scope(resource, "", options), options);
    for await (const batch of batches) {
      const { events, error } = readBatch<T>(batch);
      if (events.length > 0) yield events;
      if (error !== undefined) throw error;
    }
    options.signal?.throwIfAborted();
  }

  async create<T extends KubeObject>(
    resource: ResourceRef<T>,
    object: DeepReadonly<T>,
    options: WriteCallOptions = {},
  ): Promise<DeepReadonly<T>> {
    const body = unchecked(object);
    const stored = await this.#handler.create(this.#scopeOf(resource, body, "", options), body, options);
    return typed<T>(stored.object);
  }

  async createSubresource(
    resource: ResourceRef<KubeObject>,
    name: string,
    subresource: string,
    body: unknown,
    options: WriteCallOptions = {},
  ): Promise<unknown> {
    const scope = this.#scope(resource, requireName(name), { ...options, subresource });
    const stored = await this.#handler.create(scope, unchecked(body), options);
    return stored.object;
  }

  async update<T extends KubeObject>(
    resource: ResourceRef<T>,
    object: DeepReadonly<T>,
    options: WriteCallOptions = {},
  ): Promise<DeepReadonly<T>> {
    const body = unchecked(object);
    const scope = this.#scopeOf(resource, body, requireName(body.metadata?.name), options);
    const { stored } = await this.#handler.update(scope, body, options);
    return typed<T>(stored.object);
  }

  async patch<T extends KubeObject>(
    resource: ResourceRef<T>,
    name: string,
    patch: unknown,
    options: PatchCallOptions,
  ): Promise<DeepReadonly<T>> {
    const { stored } = await this.#handler.patch(this.#scope(resource, requireName(name), options), patch, options);
    return typed<T>(stored.object);
  }

  async delete(resource: ResourceRef<KubeObject>, name: string, options: DeleteCallOptions = {}): Promise<void> {
    await this.#handler.delete(this.#scope(resource, requireName(name), options), options.options ?? {});
  }

  async deleteCollection(resource: ResourceRef<KubeObject>, options: DeleteCallOptions & ListCallOptions = {}): Promise<void> {
    await this.#handler.deleteCollection(this.#scope(resource, "", options), options.options ?? {}, options);
  }

  #scopeOf(resource: ResourceRef<KubeObject>, body: UncheckedObject, name: string, target: Target): RequestScope {
    const namespace = target.namespace ?? body.metadata?.namespace;
    return this.#scope(resource, name, { ...target, namespace });
  }

  #scope(resource: ResourceRef<KubeObject>, name: string, target: Target): RequestScope {
    target.signal?.throwIfAborted();
    return {
      user: this.#user,
      resource: this.#find(resource),
      namespace: target.namespace ?? "",
      name,
      subresource: target.subresource ?? "",
      fieldManager: target.fieldManager ?? this.#fieldManager,
      signal: target.signal,
    };
  }

  #find({ group, version, resource }: ResourceRef<KubeObject>): Resource {
    const found = this.#catalog.find(group, version, resource);
    if (found === undefined) throw statusError("NotFound", "the server could not find the requested resource");
    return found;
  }
}

function requireName(name: string | undefined): string {
  if (name === undefined || name === "") throw badRequest("resource name may not be empty");
  return name;
}

function readBatch<T extends KubeObject>(
  batch: readonly StoredWatchEvent[],
): { readonly events: readonly WatchEvent<T>[]; readonly error: StatusError | undefined } {
  const events: WatchEvent<T>[] = [];
  for (const event of batch) {
    if (event.type === "ERROR") return { events, error: new StatusError(event.status) };
    if (event.type === "BOOKMARK") events.push(event);
    else events.push({ type: event.type, object: typed<T>(event.stored.object) });
  }
  return { events, error: undefined };
}

/** The caller's ResourceRef says what the resource holds. */
function typed<T extends KubeObject>(object: DeepReadonly<KubeObject>): DeepReadonly<T> {
  return object as DeepReadonly<T>;
}

function unchecked(object: unknown): UncheckedObject {
  return object as UncheckedObject;
}
