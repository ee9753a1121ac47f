// All objects of one resource, kept up to date by a watch on the handler: what authorizers look things up in.
import type { ApiHandler, RequestScope, Resource, StoredWatchEvent, UserInfo } from "../../api/index.ts";
import { Backoff, type Clock, type Logger } from "../../base/index.ts";
import { objectKey } from "../../machinery/index.ts";

/** The server itself: may do everything. */
export const loopbackUser: UserInfo = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

export interface WatchedCollectionOptions {
  readonly handler: Pick<ApiHandler, "list" | "watch">;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** T is the type of the resource's objects; they are shared and must not be changed. */
export class WatchedCollection<T> {
  readonly #options: WatchedCollectionOptions;
  readonly #objects = new Map<string, T>();
  readonly #listeners: ((key: string, object: T | undefined) => void)[] = [];
  /** Grows with every change. */
  version = 0;

  constructor(options: WatchedCollectionOptions) {
    this.#options = options;
  }

  /** By `objectKey`. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  /** `listener` hears of every change; undefined for objects that are gone. */
  onChange(listener: (key: string, object: T | undefined) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when all objects are known; keeps watching until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const resourceVersion = await this.#relist(signal);
    void this.#follow(resourceVersion, signal);
  }

  #scope(signal: AbortSignal): RequestScope {
    const { resource } = this.#options;
    return { user: loopbackUser, resource, namespace: "", name: "", subresource: "", signal };
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const list = await this.#options.handler.list(this.#scope(signal), {});
    const gone = new Set(this.#objects.keys());
    for (const { object } of list.items) {
      const key = objectKey(object);
      gone.delete(key);
      this.#set(key, object as T);
    }
    for (const key of gone) this.#set(key, undefined);
    return list.resourceVersion;
  }

  async #follow(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { clock, logger, handler, resource } = this.#options;
    const backoff = new Backoff<string>(clock, { initialMs: 50, maxMs: 5_000 });
    let from = resourceVersion;
    while (!signal.aborted) {
      try {
        const options = { resourceVersion: from, allowWatchBookmarks: true };
        for await (const batch of await handler.watch(this.#scope(signal), options)) from = this.#take(batch, from);
        backoff.reset("");
      } catch (error) {
        if (signal.aborted) return;
        logger.debug("watch for authorization failed", { resource: resource.resource, error });
        await clock.sleep(backoff.next(""), signal).catch(() => {});
        from = await this.#relist(signal).catch(() => from);
      }
    }
  }

  /** Answers the resourceVersion reached; throws when the watch must begin anew. */
  #take(batch: readonly StoredWatchEvent[], from: string): string {
    let reached = from;
    for (const event of batch) {
      if (event.type === "ERROR") throw new Error(event.status.message ?? "the watch ended");
      if (event.type === "BOOKMARK") {
        reached = event.resourceVersion;
        continue;
      }
      const { object } = event.stored;
      reached = object.metadata.resourceVersion ?? reached;
      this.#set(objectKey(object), event.type === "DELETED" ? undefined : (object as T));
    }
    return reached;
  }

  #set(key: string, object: T | undefined): void {
    if (this.#objects.get(key) === object) return;
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    this.version++;
    for (const listener of this.#listeners) listener(key, object);
  }
}
