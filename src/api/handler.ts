// The API server as functions, without HTTP: what the in-process client calls and what the HTTP front is made of.
// Every call is authenticated (a user comes in), authorised, admitted and validated exactly like a request from outside.
import type { DeepReadonly, DeleteOptions, KubeObject, ObjectMeta, Status } from "../machinery/index.ts";
import type { Resource } from "./resource.ts";

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Who asks for what. */
export interface RequestScope {
  readonly user: UserInfo;
  readonly resource: Resource;
  /** "" for cluster-scoped resources and for all namespaces. */
  readonly namespace: string;
  readonly name: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Names the client in managedFields; default: derived from the user agent, else `unknown`. */
  readonly fieldManager?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The verb that `GuardedHandler.authorize` has let pass: it is not judged again. */
  readonly authorizedFor?: string;
  /** Collects texts for Warning headers. */
  warn?(text: string): void;
  /** Adds an annotation to the request's audit event; the first of a key stays. */
  annotate?(key: string, value: string): void;
}

/** A stored object and its JSON, resourceVersion included. Both are shared: never change them. */
export interface Stored<T = KubeObject> {
  readonly object: DeepReadonly<T>;
  /** May be made anew each time it is asked for. */
  readonly json: Uint8Array;
  /** Its length, and a copy of it in a place that is there: for lists, without making it first. Absent: `json` is made already. */
  readonly jsonBytes?: number;
  copyJson?(target: Buffer, at: number): void;
}

export interface ReadOptions {
  readonly resourceVersion?: string | undefined;
}

export interface ListOptions extends ReadOptions {
  readonly resourceVersionMatch?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

export interface StoredList {
  readonly items: readonly Stored[];
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export interface WatchOptions extends ReadOptions {
  readonly resourceVersionMatch?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
  /** Lets a waiting watch go on when something has changed; what changes until then is in the same batch. Default: at once. */
  readonly wake?: ((go: () => void) => void) | undefined;
}

export type StoredWatchEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly stored: Stored;
      /** The same for all who hear of the change, while it is recent. Absent: this watch alone gets the event. */
      readonly change?: object | undefined;
    }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly isInitialEventsEnd: boolean }
  | { readonly type: "ERROR"; readonly status: Status };

export interface WriteOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict" | undefined;
  /** `duplicate field "spec.replicas"`, …: what stood twice in the body as it was sent. Treated as unknown fields are. */
  readonly duplicateFields?: readonly string[] | undefined;
}

export type PatchType =
  | "application/json-patch+json"
  | "application/merge-patch+json"
  | "application/strategic-merge-patch+json"
  | "application/apply-patch+yaml";

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  /** Server-side apply: take over what others own. */
  readonly force?: boolean | undefined;
}

/** An object as it comes from a client: checked by no one so far. */
export type UncheckedObject = { readonly metadata?: Partial<ObjectMeta> } & Readonly<Record<string, unknown>>;

/**
 * Rejects with StatusError and nothing else. `create` on a subresource (binding, eviction, token) answers that
 * subresource's kind.
 */
export interface ApiHandler {
  get(scope: RequestScope, options: ReadOptions): Promise<Stored>;
  list(scope: RequestScope, options: ListOptions): Promise<StoredList>;
  /** Batches of events until `scope.signal` aborts, the time is up, or an ERROR event ends it. */
  watch(scope: RequestScope, options: WatchOptions): Promise<AsyncIterable<readonly StoredWatchEvent[]>>;
  create(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<Stored>;
  /** `created` tells whether a PUT made the object. */
  update(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<{ stored: Stored; created: boolean }>;
  patch(scope: RequestScope, patch: unknown, options: PatchOptions): Promise<{ stored: Stored; created: boolean }>;
  /** Answers the object while finalizers or grace keep it, else a Success status. */
  delete(scope: RequestScope, options: DeleteOptions): Promise<{ stored: Stored } | { status: Status }>;
  deleteCollection(scope: RequestScope, options: DeleteOptions, selection: ListOptions): Promise<StoredList>;
}

/** Judges a request before there is anything to carry out. */
export interface GuardedHandler extends ApiHandler {
  /** Refuses (throws or rejects with StatusError) what the scope's user may not do, so that no body need be read for it. */
  authorize(scope: RequestScope, verb: string, selection?: Pick<ListOptions, "fieldSelector" | "labelSelector">): void | Promise<void>;
}

/** Finds resources by group, version and plural; grows when CRDs come. */
export interface ResourceCatalog {
  find(group: string, version: string, resource: string): Resource | undefined;
  /** Every resource served now. */
  all(): readonly Resource[];
}
