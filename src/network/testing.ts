// Informers over fixed objects, for this folder's tests.
import type { ResourceRef } from "../api/index.ts";
import type { IndexFunction, Informer, InformerHandlers, InformerSource } from "../client/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";

class FixedInformer<T extends KubeObject> implements Informer<T> {
  readonly hasSynced = true;
  readonly #objects: readonly DeepReadonly<T>[];
  readonly #indexes = new Map<string, IndexFunction<T>>();

  constructor(objects: readonly DeepReadonly<T>[]) {
    this.#objects = objects;
  }

  readonly lister = {
    get: (namespace: string, name: string) =>
      this.#objects.find((object) => (object.metadata.namespace ?? "") === namespace && object.metadata.name === name),
    list: (namespace?: string) => this.#objects.filter((object) => namespace === undefined || object.metadata.namespace === namespace),
    byIndex: (index: string, value: string) =>
      this.#objects.filter((object) => this.#indexes.get(index)?.(object).includes(value) === true),
  };

  addIndex(name: string, keys: IndexFunction<T>): void {
    this.#indexes.set(name, keys);
  }

  onChange(handlers: InformerHandlers<T>): () => void {
    for (const object of this.#objects) handlers.added?.(object);
    return () => {};
  }
}

/** Informers that hold `objects` by plural and never change. */
export function fixedInformers(objects: Readonly<Record<string, readonly DeepReadonly<KubeObject>[]>>): InformerSource {
  const informers = new Map<string, unknown>();
  return {
    informer: <T extends KubeObject>(resource: ResourceRef<T>) => {
      const known = informers.get(resource.resource) ?? new FixedInformer(objects[resource.resource] ?? []);
      informers.set(resource.resource, known);
      return known as Informer<T>;
    },
    start: () => {},
    waitForSync: () => Promise.resolve(),
  };
}
