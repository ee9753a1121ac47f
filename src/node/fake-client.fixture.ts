// A client over objects in memory for this folder's tests: pods' graceful deletion and patches as the server does them.
import { builtInCatalog, type ResourceRef } from "../api/index.ts";
import {
  type Client,
  ConnectionError,
  type PatchCallOptions,
  type WatchCallOptions,
  type WatchEvent,
  type WriteCallOptions,
} from "../client/index.ts";
import { alreadyExists, type DeepReadonly, deepFreeze, type KubeObject, notFound, strategicMergePatch } from "../machinery/index.ts";

type Stored = DeepReadonly<KubeObject> & { readonly spec?: Readonly<Record<string, unknown>> };

interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: string;
  readonly object: Stored;
}

export class FakeClient implements Client {
  readonly #objects = new Map<string, Stored>();
  readonly #changes: Change[] = [];
  readonly #catalog = builtInCatalog();
  readonly #now: () => number;
  #revision = 1;
  #changed = Promise.withResolvers<void>();
  #isAway = false;
  /** Bodies of patches to pods' status, in order. */
  readonly statusPatches: unknown[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether nobody answers: calls fail, and watches under way break off. */
  set isAway(isAway: boolean) {
    this.#isAway = isAway;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #reach(): void {
    if (this.#isAway) throw new ConnectionError("the server is away", undefined);
  }

  /** The object as it is now. */
  peek<T extends KubeObject>(resource: ResourceRef<T>, name: string, namespace = ""): DeepReadonly<T> | undefined {
    return this.#objects.get(keyOf(resource, namespace, name)) as DeepReadonly<T> | undefined;
  }

  async get<T extends KubeObject>(resource: ResourceRef<T>, name: string, options: { namespace?: string | undefined } = {}) {
    this.#reach();
    const found = this.peek(resource, name, options.namespace);
    if (found === undefined) throw notFound(resource, name);
    return found;
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: { fieldSelector?: string | undefined } = {}) {
    this.#reach();
    const items = [...this.#objects].filter(([key]) => key.startsWith(`${resource.resource}/`)).map(([, object]) => object);
    const selected = items.filter((object) => isSelected(object, options.fieldSelector));
    return { items: selected as unknown as DeepReadonly<T>[], resourceVersion: String(this.#revision) };
  }

  async *watch<T extends KubeObject>(resource: ResourceRef<T>, options: WatchCallOptions = {}): AsyncGenerator<readonly WatchEvent<T>[]> {
    let next = this.#changes.length;
    if (options.sendInitialEvents === true) {
      const { items, resourceVersion } = await this.list(resource, options);
      yield items.map((object) => ({ type: "ADDED" as const, object }));
      yield [{ type: "BOOKMARK", resourceVersion, isInitialEventsEnd: true }];
    } else next = this.#changes.findIndex(({ object }) => Number(object.metadata.resourceVersion) > Number(options.resourceVersion));
    if (next < 0) next = this.#changes.length;
    const ended = Promise.withResolvers<void>();
    options.signal?.addEventListener("abort", () => ended.resolve(), { once: true });
    while (options.signal?.aborted !== true) {
      this.#reach();
      const batch = this.#changes
        .slice(next)
        .filter((change) => change.resource === resource.resource && isSelected(change.object, options.fieldSelector));
      next = this.#changes.length;
      if (batch.length > 0) yield batch.map(({ type, object }) => ({ type, object: object as unknown as DeepReadonly<T> }));
      else await Promise.race([this.#changed.promise, ended.promise]);
    }
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: DeepReadonly<T>, options: WriteCallOptions = {}) {
    this.#reach();
    const { generateName } = object.metadata;
    const name = object.metadata.name ?? (generateName === undefined ? "" : `${generateName}${this.#revision}`);
    const namespace = options.namespace ?? object.metadata.namespace ?? "";
    if (this.#objects.has(keyOf(resource, namespace, name))) throw alreadyExists(resource, name);
    const metadata = {
      ...object.metadata,
      ...(name === "" ? {} : { name }),
      ...(namespace === "" ? {} : { namespace }),
      uid: object.metadata.uid ?? `uid-${name}`,
      generation: 1,
    };
    return this.#put(resource, { ...object, metadata }) as DeepReadonly<T>;
  }

  createSubresource(): Promise<unknown> {
    return Promise.reject(new Error("the fake has no subresources"));
  }

  async update<T extends KubeObject>(resource: ResourceRef<T>, object: DeepReadonly<T>, options: WriteCallOptions = {}) {
    await this.get(resource, object.metadata.name ?? "", options);
    return this.#put(resource, object) as DeepReadonly<T>;
  }

  async patch<T extends KubeObject>(resource: ResourceRef<T>, name: string, patch: unknown, options: PatchCallOptions) {
    const old = await this.get(resource, name, options);
    const facts = this.#catalog.find(resource.group, resource.version, resource.resource)?.facts;
    if (facts === undefined) throw notFound(resource, name);
    if (resource.resource === "pods" && options.subresource === "status") this.statusPatches.push(patch);
    return this.#put(resource, strategicMergePatch(old, patch, facts) as Stored) as DeepReadonly<T>;
  }

  async delete(resource: ResourceRef<KubeObject>, name: string, call: Parameters<Client["delete"]>[2] = {}): Promise<void> {
    const old: Stored = await this.get(resource, name, call);
    const grace = call.options?.gracePeriodSeconds ?? 30;
    if (resource.resource === "pods" && grace > 0) {
      const deletionTimestamp = new Date(this.#now() + grace * 1000).toISOString();
      this.#put(resource, { ...old, metadata: { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace } });
      return;
    }
    this.#objects.delete(keyOf(resource, old.metadata.namespace ?? "", name));
    this.#record({ type: "DELETED", resource: resource.resource, object: this.#versioned(old) });
  }

  deleteCollection(): Promise<void> {
    return Promise.reject(new Error("the fake deletes one by one"));
  }

  #put(resource: ResourceRef<KubeObject>, object: DeepReadonly<KubeObject>): Stored {
    const stored = this.#versioned(object);
    const key = keyOf(resource, object.metadata.namespace ?? "", object.metadata.name ?? "");
    const type = this.#objects.has(key) ? "MODIFIED" : "ADDED";
    this.#objects.set(key, stored);
    this.#record({ type, resource: resource.resource, object: stored });
    return stored;
  }

  #versioned(object: DeepReadonly<KubeObject>): Stored {
    const resourceVersion = String(++this.#revision);
    return deepFreeze(structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion } })) as Stored;
  }

  #record(change: Change): void {
    this.#changes.push(change);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function keyOf({ resource }: ResourceRef<KubeObject>, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}

/** Knows `spec.nodeName=` only. */
function isSelected(object: Stored, fieldSelector: string | undefined): boolean {
  const nodeName = fieldSelector?.startsWith("spec.nodeName=") === true ? fieldSelector.slice("spec.nodeName=".length) : undefined;
  return nodeName === undefined || object.spec?.["nodeName"] === nodeName;
}
