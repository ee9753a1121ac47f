// Config maps and secrets that pods of this node refer to: fetched by name on demand, kept for a while.
import { type ResourceRef, resources } from "../api/index.ts";
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret } from "../api/types/core/v1.ts";
import type { RuntimeClass } from "../api/types/node/v1.ts";
import type { Clock } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { type DeepReadonly, type KubeObject, notFound } from "../machinery/index.ts";
import type { ContentStore } from "./volumes/content-follower.ts";
import type { VolumeObjects } from "./volumes/volume-manager.ts";

/** Pods started together share one fetch. */
const TTL_MS = 10_000;

interface Entry {
  /** Infinity for what is followed: it does not grow old. */
  readonly fetchedAtMs: number;
  readonly object: Promise<DeepReadonly<KubeObject>>;
}

interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

function keyOf({ resource }: ResourceRef<KubeObject>, { namespace, name }: ObjectName): string {
  return `${resource}/${namespace}/${name}`;
}

export class ObjectCache implements VolumeObjects, ContentStore {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  configMap(namespace: string, name: string): Promise<DeepReadonly<ConfigMap>> {
    return this.#get(resources.configmaps, namespace, name);
  }

  secret(namespace: string, name: string): Promise<DeepReadonly<Secret>> {
    return this.#get(resources.secrets, namespace, name);
  }

  claim(namespace: string, name: string): Promise<DeepReadonly<PersistentVolumeClaim>> {
    return this.#get(resources.persistentvolumeclaims, namespace, name);
  }

  volume(name: string): Promise<DeepReadonly<PersistentVolume>> {
    return this.#get(resources.persistentvolumes, "", name);
  }

  runtimeClass(name: string): Promise<DeepReadonly<RuntimeClass>> {
    return this.#get(resources.runtimeclasses, "", name);
  }

  keep(resource: ResourceRef<KubeObject>, at: ObjectName, found: DeepReadonly<KubeObject> | undefined): void {
    const object = found === undefined ? Promise.reject(notFound(resource, at.name)) : Promise.resolve(found);
    object.catch(() => {});
    this.#entries.set(keyOf(resource, at), { fetchedAtMs: Number.POSITIVE_INFINITY, object });
  }

  release(resource: ResourceRef<KubeObject>, at: ObjectName): void {
    this.#entries.delete(keyOf(resource, at));
  }

  /** Forgets what is older than its time. */
  sweep(): void {
    const nowMs = this.#clock.monotonic();
    for (const [key, entry] of this.#entries) if (nowMs - entry.fetchedAtMs > TTL_MS) this.#entries.delete(key);
  }

  #get<T extends KubeObject>(resource: ResourceRef<T>, namespace: string, name: string): Promise<DeepReadonly<T>> {
    const key = keyOf(resource, { namespace, name });
    const nowMs = this.#clock.monotonic();
    const known = this.#entries.get(key);
    if (known !== undefined && nowMs - known.fetchedAtMs <= TTL_MS) return known.object as Promise<DeepReadonly<T>>;
    const object = this.#client.get(resource, name, { namespace });
    const entry: Entry = { fetchedAtMs: nowMs, object: object as Promise<DeepReadonly<KubeObject>> };
    this.#entries.set(key, entry);
    // A failure is not kept: the object may be made the next moment.
    object.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return object;
  }
}
