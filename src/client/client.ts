// What every component and every test uses to talk to the API server. `local/` calls a handler in the same process,
// `http/` speaks HTTPS; both pass client.suite.ts.
import type { ResourceRef } from "../api/index.ts";
import type { DeepReadonly, DeleteOptions, KubeObject } from "../machinery/index.ts";

export interface CallOptions {
  /** Default "": cluster scope, or all namespaces. */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  readonly resourceVersion?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface ListCallOptions extends CallOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
}

export interface WatchCallOptions extends CallOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly resourceVersionMatch?: "NotOlderThan" | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export interface WriteCallOptions extends CallOptions {
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict" | undefined;
}

export interface PatchCallOptions extends WriteCallOptions {
  readonly type:
    | "application/json-patch+json"
    | "application/merge-patch+json"
    | "application/strategic-merge-patch+json"
    | "application/apply-patch+yaml";
  readonly force?: boolean | undefined;
}

export interface DeleteCallOptions extends CallOptions {
  readonly options?: DeleteOptions | undefined;
}

export interface ObjectList<T> {
  readonly items: readonly DeepReadonly<T>[];
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: DeepReadonly<T> }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly isInitialEventsEnd: boolean };

/**
 * Every call rejects with StatusError when the server refuses, with `ConnectionError` when it cannot be reached, and
 * with the signal's reason when aborted. Objects that come out are shared and frozen: copy before changing
 * (`structuredClone`, or spread what changes).
 */
export interface Client {
  get<T extends KubeObject>(resource: ResourceRef<T>, name: string, options?: GetOptions): Promise<DeepReadonly<T>>;
  list<T extends KubeObject>(resource: ResourceRef<T>, options?: ListCallOptions): Promise<ObjectList<T>>;
  /**
   * Events in batches. Ends normally when the server's time is up; throws StatusError (`isExpired`) when the
   * resourceVersion is too old.
   */
  watch<T extends KubeObject>(resource: ResourceRef<T>, options?: WatchCallOptions): AsyncIterable<readonly WatchEvent<T>[]>;
  /** A metadata.generateName gets a suffix from the server. */
  create<T extends KubeObject>(resource: ResourceRef<T>, object: DeepReadonly<T>, options?: WriteCallOptions): Promise<DeepReadonly<T>>;
  /** POST to `binding`, `eviction` or `token` of an object; answers what the server says. */
  createSubresource(
    resource: ResourceRef<KubeObject>,
    name: string,
    subresource: string,
    body: unknown,
    options?: WriteCallOptions,
  ): Promise<unknown>;
  update<T extends KubeObject>(resource: ResourceRef<T>, object: DeepReadonly<T>, options?: WriteCallOptions): Promise<DeepReadonly<T>>;
  patch<T extends KubeObject>(resource: ResourceRef<T>, name: string, patch: unknown, options: PatchCallOptions): Promise<DeepReadonly<T>>;
  /** Resolves when the server has accepted the deletion; the object may still be there with a deletionTimestamp. */
  delete(resource: ResourceRef<KubeObject>, name: string, options?: DeleteCallOptions): Promise<void>;
  deleteCollection(resource: ResourceRef<KubeObject>, options?: DeleteCallOptions & ListCallOptions): Promise<void>;
}
