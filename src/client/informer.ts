// Shared informers: one reflector and one indexed copy for each resource (and selection), however many components ask.
import type { ResourceRef } from "../api/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";
import type { Client, WatchEvent } from "./client.ts";
import type { IndexFunction, Informer, InformerHandlers, InformerSource, Lister } from "./informer-types.ts";
import { ObjectIndex } from "./object-index.ts";
import { Reflector, type Selection } from "./reflector.ts";
import type { ReflectorOutput } from "./reflector-step.ts";

/** Keeps the copy and tells handlers of changes; fed by a reflector. */
export class SharedInformer<T extends KubeObject> implements Informer<T> {
  readonly #objects = new ObjectIndex<T>();
  readonly #handlers = new Set<InformerHandlers<T>>();
  readonly #logger: Logger;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get lister(): Lister<T> {
    return this.#objects;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Whether anyone is told of changes. */
  get isUsed(): boolean {
    return this.#handlers.size > 0;
  }

  /** Resolves once `hasSynced`. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  addIndex(name: string, keys: IndexFunction<T>): void {
    this.#objects.addIndex(name, keys);
  }

  onChange(handlers: InformerHandlers<T>): () => void {
    // A copy, so that the same handlers given twice are two registrations.
    const registration: InformerHandlers<T> = {
      added: (object) => handlers.added?.(object),
      updated: (old, object) => handlers.updated?.(old, object),
      deleted: (object, last) => handlers.deleted?.(object, last),
    };
    for (const object of this.#objects.list()) this.#guard(() => registration.added?.(object));
    this.#handlers.add(registration);
    return () => this.#handlers.delete(registration);
  }

  /** Takes what the reflector learned; all handlers have run when it returns. */
  take(output: ReflectorOutput<T>): void {
    if (output.type === "replace") this.#replace(output.objects);
    else for (const event of output.events) this.#apply(event);
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") return;
    if (event.type === "DELETED") this.#delete(event.object);
    else this.#set(event.object);
  }

  #replace(objects: readonly DeepReadonly<T>[]): void {
    const present = new ObjectIndex<T>();
    for (const object of objects) present.set(object);
    for (const old of this.#objects.list()) {
      const { namespace = "", name = "" } = old.metadata;
      if (present.get(namespace, name) === undefined) this.#delete(old);
    }
    for (const object of objects) this.#set(object);
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #set(object: DeepReadonly<T>): void {
    const old = this.#objects.set(object);
    if (old === undefined) {
      this.#notify((handlers) => handlers.added?.(object));
    } else if (old.metadata.uid !== object.metadata.uid) {
      // Its deletion was missed: another object has taken the name.
      this.#notify((handlers) => handlers.deleted?.(old, old));
      this.#notify((handlers) => handlers.added?.(object));
    } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.#notify((handlers) => handlers.updated?.(old, object));
    }
  }

  #delete(object: DeepReadonly<T>): void {
    const { namespace = "", name = "" } = object.metadata;
    const last = this.#objects.delete(namespace, name);
    if (last !== undefined) this.#notify((handlers) => handlers.deleted?.(object, last));
  }

  #notify(call: (handlers: InformerHandlers<T>) => void): void {
    for (const handlers of this.#handlers) this.#guard(() => call(handlers));
  }

  /** One handler's error is logged; the others and the copy are not harmed by it. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error("an informer's handler threw", { error });
    }
  }
}

function keyOf({ group, version, resource }: ResourceRef<KubeObject>, selection: Selection): string {
  const { namespace = "", fieldSelector = "", labelSelector = "" } = selection;
  return JSON.stringify([group, version, resource, namespace, fieldSelector, labelSelector]);
}

export interface SharedInformersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Whether reflectors try one stream for list and watch. Default true. */
  readonly canStream?: boolean;
}

/** One informer and how to begin following. */
interface Entry {
  readonly informer: Informer<KubeObject> & { readonly isUsed: boolean };
  readonly synced: Promise<void>;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Ends the following. */
  readonly end: () => void;
  isStarted: boolean;
}

export class SharedInformers implements InformerSource {
  readonly #options: SharedInformersOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SharedInformersOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject>(resource: ResourceRef<T>, selection: Selection = {}): Informer<T> {
    const key = keyOf(resource, selection);
    let entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, (entry = this.#make(resource, selection)));
    return entry.informer as unknown as Informer<T>;
  }

  release(resource: ResourceRef<KubeObject>): void {
    const key = keyOf(resource, {});
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.informer.isUsed) return;
    entry.end();
    this.#entries.delete(key);
  }

  start(signal: AbortSignal): void {
    for (const entry of this.#entries.values()) {
      if (entry.isStarted) continue;
      entry.isStarted = true;
      void entry.run(signal);
    }
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([Promise.all([...this.#entries.values()].map((entry) => entry.synced)), aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #make<T extends KubeObject>(resource: ResourceRef<T>, selection: Selection): Entry {
    const { logger, ...rest } = this.#options;
    const ownLogger = logger.child({ informer: resource.resource });
    const informer = new SharedInformer<T>(ownLogger);
    const sink = (output: ReflectorOutput<T>) => informer.take(output);
    const reflector = new Reflector<T>({ ...rest, logger: ownLogger, resource, selection, sink });
    const end = new AbortController();
    return {
      informer: informer as unknown as Entry["informer"],
      synced: informer.synced,
      run: (signal) => reflector.run(AbortSignal.any([signal, end.signal])),
      end: () => end.abort(),
      isStarted: false,
    };
  }
}
