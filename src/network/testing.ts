// Informers over objects in memory, for this folder's tests and benchmarks.
import type { ResourceRef } from "../api/index.ts";
import { type IndexFunction, type Informer, type InformerHandlers, type InformerSource, ObjectIndex } from "../client/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";

class MemoryInformer<T extends KubeObject> implements Informer<T> {
  readonly hasSynced = true;
  readonly lister = new ObjectIndex<T>();
  readonly #handlers = new Set<InformerHandlers<T>>();

  addIndex(name: string, keys: IndexFunction<T>): void {
    this.lister.addIndex(name, keys);
  }

  onChange(handlers: InformerHandlers<T>): () => void {
    for (const object of this.lister.list()) handlers.added?.(object);
    this.#handlers.add(handlers);
    return () => this.#handlers.delete(handlers);
  }

  set(object: DeepReadonly<T>): void {
    const old = this.lister.set(object);
    for (const handlers of this.#handlers) {
      if (old === undefined) handlers.added?.(object);
      else handlers.updated?.(old, object);
    }
  }

  delete({ metadata: { namespace = "", name = "" } }: DeepReadonly<T>): void {
    const old = this.lister.delete(namespace, name);
    if (old !== undefined) for (const handlers of this.#handlers) handlers.deleted?.(old, old);
  }
}

/** Informers by plural; selections are not applied. */
export class MemoryInformers implements InformerSource {
  readonly #informers = new Map<string, MemoryInformer<KubeObject>>();

  informer<T extends KubeObject>(resource: ResourceRef<T>): Informer<T> {
    return this.#of(resource.resource) as unknown as Informer<T>;
  }

  /** Adds an object of the resource `plural`, or puts it in the place of the one of its name. */
  set(plural: string, object: DeepReadonly<KubeObject>): void {
    this.#of(plural).set(object);
  }

  delete(plural: string, object: DeepReadonly<KubeObject>): void {
    this.#of(plural).delete(object);
  }

  start(): void {}

  release(): void {}

  waitForSync(): Promise<void> {
    return Promise.resolve();
  }

  #of(plural: string): MemoryInformer<KubeObject> {
    const informer = this.#informers.get(plural) ?? new MemoryInformer<KubeObject>();
    this.#informers.set(plural, informer);
    return informer;
  }
}

/** Informers that hold `objects` by plural. */
export function fixedInformers(objects: Readonly<Record<string, readonly DeepReadonly<KubeObject>[]>>): MemoryInformers {
  const informers = new MemoryInformers();
  for (const [plural, list] of Object.entries(objects)) for (const object of list) informers.set(plural, object);
  return informers;
}
