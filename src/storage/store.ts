// The store interface: what etcd means by keys, revisions and watches, in ten verbs. Knows bytes, not kinds.
// Every implementation passes store.suite.ts.

/** A key's value at a revision. Treat `value` as immutable: it is shared. */
export interface StoreEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that created the key. */
  readonly createRevision: number;
  /** Revision of the write that made this value. */
  readonly modRevision: number;
}

export type StoreEvent =
  | { readonly type: "put"; readonly entry: StoreEntry; readonly previous: StoreEntry | undefined }
  | { readonly type: "delete"; readonly key: string; readonly revision: number; readonly previous: StoreEntry };

export interface RangeOptions {
  /** Answer as of this revision; default: the current one. */
  readonly revision?: number;
  /** At most so many entries; default: all. */
  readonly limit?: number;
  /** Start after this key (which must begin with the prefix). */
  readonly after?: string;
}

export interface RangeResult {
  /** In order of the keys' UTF-8 bytes. */
  readonly entries: readonly StoreEntry[];
  /** The store's revision at which the answer is true. */
  readonly revision: number;
  /** Whether `limit` cut the answer. */
  readonly hasMore: boolean;
  /** Entries behind the last one answered. */
  readonly remaining: number;
}

export interface PutOptions {
  /** The key is deleted (with an event) about so long after this write; a later put of the key sets it anew. */
  readonly ttlSeconds?: number;
}

export interface WatchOptions {
  /** The first event has a revision above this one; default: the current revision. */
  readonly afterRevision?: number;
  readonly signal: AbortSignal;
}

/**
 * One ordered history of writes. Each successful write raises the revision by one.
 *
 * A write's promise resolves only when it is durable (where the implementation is), and watchers see it only then.
 * Errors: `KeyExistsError`, `RevisionConflictError`, `CompactedError`, `FutureRevisionError`, `StoreClosedError`, `StoreFullError`.
 */
export interface Store {
  /** Writes `key`, which must not exist (`KeyExistsError`). */
  create(key: string, value: Uint8Array, options?: PutOptions): Promise<StoreEntry>;
  /** Replaces the value of `key` if its modRevision is `expectedRevision` (`RevisionConflictError` with what is there). */
  update(key: string, value: Uint8Array, expectedRevision: number, options?: PutOptions): Promise<StoreEntry>;
  /** Deletes `key` if its modRevision is `expectedRevision` (`RevisionConflictError`); answers the deletion's revision. */
  delete(key: string, expectedRevision: number): Promise<number>;
  get(key: string): Promise<StoreEntry | undefined>;
  /** All entries whose keys start with `prefix`. `CompactedError` when the revision is gone, `FutureRevisionError` when it lies ahead. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;
  /**
   * Events of keys that start with `prefix`, in order and without gaps, in batches, until the signal aborts.
   * Ends by throwing `CompactedError` when `afterRevision` is older than what is kept.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]>;
  /** The revision of the newest durable write. */
  currentRevision(): Promise<number>;
  /** Forgets history up to `revision`; newest values stay. */
  compact(revision: number): Promise<void>;
  /** Bytes on disk (0 in memory). */
  sizeBytes(): Promise<number>;
  /** Waits for writes under way, then lets go of everything; later calls reject with `StoreClosedError`. */
  close(): Promise<void>;
}
