// What a store's calls reject with.
import type { StoreEntry } from "./store.ts";

export class KeyExistsError extends Error {
  readonly code = "KEY_EXISTS";
  readonly existing: StoreEntry | undefined;

  constructor(key: string, existing?: StoreEntry) {
    super(`key ${key} exists`);
    this.existing = existing;
  }
}

export class RevisionConflictError extends Error {
  readonly code = "REVISION_CONFLICT";
  /** What stands under the key; undefined when nothing does. */
  readonly current: StoreEntry | undefined;

  constructor(key: string, expectedRevision: number, current: StoreEntry | undefined) {
    super(`key ${key} is at revision ${current?.modRevision ?? "none"}, expected ${expectedRevision}`);
    this.current = current;
  }
}

export class CompactedError extends Error {
  readonly code = "COMPACTED";
  readonly oldestRevision: number;

  constructor(revision: number, oldestRevision: number) {
    super(`revision ${revision} is not kept, the oldest is ${oldestRevision}`);
    this.oldestRevision = oldestRevision;
  }
}

export class FutureRevisionError extends Error {
  readonly code = "FUTURE_REVISION";
  readonly currentRevision: number;

  constructor(revision: number, currentRevision: number) {
    super(`revision ${revision} lies ahead, the current one is ${currentRevision}`);
    this.currentRevision = currentRevision;
  }
}

export class StoreClosedError extends Error {
  readonly code = "STORE_CLOSED";

  constructor() {
    super("the store is closed");
  }
}

export class StoreFullError extends Error {
  readonly code = "STORE_FULL";

  constructor(cause: unknown) {
    super("the store's disk is full: free some space, what is stored is unharmed", { cause });
  }
}

export class SealedValueError extends Error {
  readonly code = "SEALED_VALUE";
}

/** The store could not be reached; whether a write was made is not known. */
export class StoreUnavailableError extends Error {
  readonly code = "STORE_UNAVAILABLE";

  constructor(cause: unknown) {
    super(`the store cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
