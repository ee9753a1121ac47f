// One object at one revision: stored bytes, and what is made of them when it is asked for and kept while it is in use.
import type { Stored } from "../../api/index.ts";
import { type DeepReadonly, deepFreeze, type KubeObject } from "../../machinery/index.ts";
import type { StoreEntry } from "../../storage/index.ts";
import type { Draft } from "../registry/draft.ts";
import { decodeStored, withResourceVersion } from "../registry/encode.ts";

export class CacheEntry implements Stored {
  readonly key: string;
  readonly revision: number;
  /** The stored bytes, without a resourceVersion. */
  readonly value: Uint8Array;
  #object: DeepReadonly<KubeObject> | undefined;
  #json: Uint8Array | undefined;
  readonly #freeze: (object: Draft) => void;

  constructor({ key, value, modRevision }: StoreEntry, freeze: (object: Draft) => void, object?: DeepReadonly<KubeObject>) {
    this.key = key;
    this.value = value;
    this.revision = modRevision;
    this.#freeze = freeze;
    this.#object = object;
  }

  get object(): DeepReadonly<KubeObject> {
    if (this.#object === undefined) {
      const object = decodeStored(this.value, this.revision);
      this.#freeze(object);
      this.#object = object;
    }
    return this.#object;
  }

  get json(): Uint8Array {
    this.#json ??= withResourceVersion(this.value, this.revision);
    return this.#json;
  }

  /** Lets go of the bytes for clients; they are made again when asked for. */
  releaseJson(): void {
    this.#json = undefined;
  }

  /** Lets go of all but the stored bytes: for what was superseded, which the store's history may hold for long. */
  release(): void {
    this.#json = undefined;
    this.#object = undefined;
  }

  /** The same content as it stands in an event of a later revision: the last state of what was deleted. */
  at(revision: number): CacheEntry {
    const object = { ...this.object, metadata: { ...this.object.metadata, resourceVersion: String(revision) } };
    this.#freeze(object as unknown as Draft);
    return new CacheEntry({ key: this.key, value: this.value, modRevision: revision, createRevision: revision }, this.#freeze, object);
  }
}

/**
 * Makes the entries of store values. A value that was written by this process is not parsed again: the writer leaves
 * its object here, and the store hands the same bytes to its watchers.
 */
export class EntryFactory {
  readonly #written = new WeakMap<Uint8Array, Draft>();
  readonly #entries = new WeakMap<Uint8Array, CacheEntry>();
  readonly #freeze: (object: Draft) => void;

  constructor({ deepFreezes }: { readonly deepFreezes: boolean }) {
    this.#freeze = deepFreezes ? deepFreeze : freezeShallow;
  }

  /** Remembers what `value` encodes; `object` belongs to the cache from now on. */
  wrote(value: Uint8Array, object: Draft): void {
    this.#written.set(value, object);
  }

  /** The entry of a store entry; the same one for the same bytes at the same revision. */
  entry(stored: StoreEntry): CacheEntry {
    const known = this.#entries.get(stored.value);
    if (known !== undefined && known.revision === stored.modRevision) return known;
    const entry = new CacheEntry(stored, this.#freeze, this.#take(stored));
    this.#entries.set(stored.value, entry);
    return entry;
  }

  #take({ value, modRevision }: StoreEntry): Draft | undefined {
    const object = this.#written.get(value);
    if (object === undefined) return undefined;
    this.#written.delete(value);
    object.metadata.resourceVersion = String(modRevision);
    this.#freeze(object);
    return object;
  }
}

function freezeShallow(object: Draft): void {
  Object.freeze(object.metadata);
  Object.freeze(object);
}
