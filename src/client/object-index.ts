// The local copy behind an informer: objects by namespace and name, and by any number of index functions. Indexes are
// repaired by each change, never rebuilt.
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";
import type { IndexFunction, Lister } from "./informer-types.ts";

/** Objects under one namespace or index value, with their list kept until the next change. */
class Bucket<T extends KubeObject> {
  readonly objects = new Map<string, DeepReadonly<T>>();
  #list: readonly DeepReadonly<T>[] | undefined;

  set(key: string, object: DeepReadonly<T>): void {
    this.objects.set(key, object);
    this.#list = undefined;
  }

  delete(key: string): void {
    this.objects.delete(key);
    this.#list = undefined;
  }

  list(): readonly DeepReadonly<T>[] {
    return (this.#list ??= [...this.objects.values()]);
  }
}

interface Index<T extends KubeObject> {
  readonly keys: IndexFunction<T>;
  readonly buckets: Map<string, Bucket<T>>;
}

const NONE: readonly never[] = [];

export class ObjectIndex<T extends KubeObject> implements Lister<T> {
  /** By namespace ("" for cluster-scoped objects), then name; no bucket is empty. */
  readonly #namespaces = new Map<string, Bucket<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  #all: readonly DeepReadonly<T>[] | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): DeepReadonly<T> | undefined {
    return this.#namespaces.get(namespace)?.objects.get(name);
  }

  list(namespace?: string): readonly DeepReadonly<T>[] {
    if (namespace !== undefined && namespace !== "") return this.#namespaces.get(namespace)?.list() ?? NONE;
    this.#all ??= [...this.#namespaces.values()].flatMap((bucket) => bucket.list());
    return this.#all;
  }

  isEmpty(namespace: string): boolean {
    return !this.#namespaces.has(namespace);
  }

  byIndex(index: string, value: string): readonly DeepReadonly<T>[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new UnknownIndexError(index);
    return found.buckets.get(value)?.list() ?? NONE;
  }

  addIndex(name: string, keys: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { keys, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const object of this.list()) changeIndex(index, undefined, object);
  }

  /** Stores `object`; answers what it replaced. */
  set(object: DeepReadonly<T>): DeepReadonly<T> | undefined {
    const { namespace = "", name = "" } = object.metadata;
    let bucket = this.#namespaces.get(namespace);
    if (bucket === undefined) this.#namespaces.set(namespace, (bucket = new Bucket()));
    const old = bucket.objects.get(name);
    bucket.set(name, object);
    if (old === undefined) this.#size++;
    this.#changed(old, object);
    return old;
  }

  /** Removes and answers the object under a namespace and name. */
  delete(namespace: string, name: string): DeepReadonly<T> | undefined {
    const bucket = this.#namespaces.get(namespace);
    const old = bucket?.objects.get(name);
    if (bucket === undefined || old === undefined) return undefined;
    bucket.delete(name);
    if (bucket.objects.size === 0) this.#namespaces.delete(namespace);
    this.#size--;
    this.#changed(old, undefined);
    return old;
  }

  #changed(old: DeepReadonly<T> | undefined, object: DeepReadonly<T> | undefined): void {
    this.#all = undefined;
    for (const index of this.#indexes.values()) changeIndex(index, old, object);
  }
}

export class UnknownIndexError extends Error {
  readonly code = "UNKNOWN_INDEX";

  constructor(index: string) {
    super(`the informer has no index ${index}: add it with addIndex first`);
  }
}

function changeIndex<T extends KubeObject>(
  { keys, buckets }: Index<T>,
  old: DeepReadonly<T> | undefined,
  object: DeepReadonly<T> | undefined,
): void {
  const newValues = object === undefined ? NONE : keys(object);
  const key = object === undefined ? undefined : identity(object);
  if (old !== undefined) {
    const oldKey = identity(old);
    for (const value of keys(old)) {
      if (oldKey === key && newValues.includes(value)) continue;
      const bucket = buckets.get(value);
      bucket?.delete(oldKey);
      if (bucket?.objects.size === 0) buckets.delete(value);
    }
  }
  if (object === undefined || key === undefined) return;
  for (const value of newValues) {
    let bucket = buckets.get(value);
    if (bucket === undefined) buckets.set(value, (bucket = new Bucket()));
    bucket.set(key, object);
  }
}

/** The uid is a string that is there already, and there are many objects. */
function identity({ metadata: { uid, namespace = "", name = "" } }: DeepReadonly<KubeObject>): string {
  return uid ?? `${namespace}/${name}`;
}
