// Config maps and secrets that pods of this node refer to: fetched by name on demand, kept for a while.
import { type ResourceRef, resources } from "../api/index.ts";
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret } from "../api/types/core/v1.ts";
import type { RuntimeClass } from "../api/types/node/v1.ts";
import type { Clock } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";
import type { VolumeObjects } from "./volumes/volume-manager.ts";

/** Pods started together share one fetch; a content change is seen by volumes at their next refresh. */
const TTL_MS = 10_000;

interface Entry {
  readonly fetchedAtMs: number;
  readonly object: Promise<DeepReadonly<KubeObject>>;
}

export class ObjectCache implements VolumeObjects {
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

  /** Forgets what is older than its time. */
  sweep(): void {
    const nowMs = this.#clock.monotonic();
    for (const [key, entry] of this.#entries) if (nowMs - entry.fetchedAtMs > TTL_MS) this.#entries.delete(key);
  }

  #get<T extends KubeObject>(resource: ResourceRef<T>, namespace: string, name: string): Promise<DeepReadonly<T>> {
    const key = `${resource.resource}/${namespace}/${name}`;
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
