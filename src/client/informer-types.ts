// What components see of informers: a local, indexed copy of one resource that follows the server.
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";

export interface Lister<T extends KubeObject> {
  /** `namespace` is "" for cluster-scoped resources. */
  get(namespace: string, name: string): DeepReadonly<T> | undefined;
  /** In one namespace, or all of them. */
  list(namespace?: string): readonly DeepReadonly<T>[];
  /** Whether the namespace has none. */
  isEmpty(namespace: string): boolean;
  /** Objects for which the index function `index` answers `value`. */
  byIndex(index: string, value: string): readonly DeepReadonly<T>[];
}

export interface InformerHandlers<T extends KubeObject> {
  added?(object: DeepReadonly<T>): void;
  updated?(old: DeepReadonly<T>, object: DeepReadonly<T>): void;
  /** `last`: what was known of it, as `added` or `updated` told. */
  deleted?(object: DeepReadonly<T>, last: DeepReadonly<T>): void;
}

/** Keys by which an index finds an object. */
export type IndexFunction<T extends KubeObject> = (object: DeepReadonly<T>) => readonly string[];

export interface Informer<T extends KubeObject> {
  readonly lister: Lister<T>;
  /** Whether the first list has arrived and its handlers have run. */
  readonly hasSynced: boolean;
  /** Adds an index; the same name again must be the same function's meaning. */
  addIndex(name: string, keys: IndexFunction<T>): void;
  /** Handlers run synchronously, in order; those added late get `added` for what is there. Answers how to stop. */
  onChange(handlers: InformerHandlers<T>): () => void;
}

export interface InformerSource {
  /** The shared informer of a resource (made at the first call). A selector makes an informer of its own. */
  informer<T extends KubeObject>(
    resource: import("../api/index.ts").ResourceRef<T>,
    selection?: { readonly namespace?: string; readonly fieldSelector?: string; readonly labelSelector?: string },
  ): Informer<T>;
  /** Starts all informers asked for so far; may be called again after more were asked for. Stops with the signal. */
  start(signal: AbortSignal): void;
  /** The caller has stopped its handlers for good: the shared informer of the resource ends if no one else has any. */
  release<T extends KubeObject>(resource: import("../api/index.ts").ResourceRef<T>): void;
  /** Resolves when all informers asked for so far have synced. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

/** How a controller hands keys to its workers. */
export interface Queue<K> {
  add(key: K): void;
  addAfter(key: K, delayMs: number): void;
  readonly length: number;
}

export interface ReconcileResult {
  /** Look at the key again after so long. */
  readonly requeueAfterMs?: number;
}
