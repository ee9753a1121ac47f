// One object at one revision: stored bytes, and the object, which is made of them when it is asked for and kept while it is in use.
import type { Stored } from "../../api/index.ts";
import { type DeepReadonly, deepFreeze, type KubeObject } from "../../machinery/index.ts";
import type { StoreEntry } from "../../storage/index.ts";
import { type Draft, shareUnchanged } from "../registry/draft.ts";
import { bytesWithResourceVersion, copyWithResourceVersion, decodeStored, encodeStored } from "../registry/encode.ts";
import { SharedFieldSets } from "./field-sets.ts";

/** How objects are made of bytes. */
interface EntryMaking {
  readonly sets: SharedFieldSets;
  /** Lets an object share what it has in common with the one of its kind that was made last (pods of one template). */
  readonly share: (object: Draft) => void;
  readonly freeze: (object: Draft) => void;
}

export class CacheEntry implements Stored {
  readonly key: string;
  readonly revision: number;
  /** The stored bytes, without a resourceVersion. */
  readonly value: Uint8Array;
  #object: DeepReadonly<KubeObject> | undefined;
  readonly #making: EntryMaking;

  constructor({ key, value, modRevision }: StoreEntry, making: EntryMaking, object?: DeepReadonly<KubeObject>) {
    this.key = key;
    this.value = value;
    this.revision = modRevision;
    this.#making = making;
    this.#object = object;
  }

  get object(): DeepReadonly<KubeObject> {
    if (this.#object === undefined) {
      const { sets, share, freeze } = this.#making;
      const object = decodeStored(this.value, this.revision, (text) => sets.parse(text));
      share(object);
      freeze(object);
      this.#object = object;
    }
    return this.#object;
  }

  /** Made anew each time: kept, it would be the stored bytes a second time. */
  get json(): Uint8Array {
    const json = Buffer.allocUnsafeSlow(this.jsonBytes);
    this.copyJson(json, 0);
    return json;
  }

  get jsonBytes(): number {
    return bytesWithResourceVersion(this.value, this.revision);
  }

  copyJson(target: Buffer, at: number): void {
    copyWithResourceVersion(this.value, this.revision, target, at);
  }

  /** Lets go of the object: for what was superseded, whose bytes the store's history may hold for long. */
  release(): void {
    this.#object = undefined;
  }

  /** The same content as it stands in an event of a later revision: the last state of what was deleted. */
  at(revision: number): CacheEntry {
    const object = { ...this.object, metadata: { ...this.object.metadata, resourceVersion: String(revision) } };
    this.#making.freeze(object as unknown as Draft);
    return new CacheEntry({ key: this.key, value: this.value, modRevision: revision, createRevision: revision }, this.#making, object);
  }
}

/**
 * Makes the entries of store values. A value that was written by this process is not parsed again: the writer leaves
 * its object here, and the store hands the same bytes to its watchers.
 */
export class EntryFactory {
  readonly #written = new WeakMap<Uint8Array, Draft>();
  readonly #entries = new WeakMap<Uint8Array, CacheEntry>();
  /** The object of each kind that was made last. */
  readonly #newest = new Map<string, Draft>();
  readonly #making: EntryMaking;

  constructor({ deepFreezes }: { readonly deepFreezes: boolean }) {
    const freeze = deepFreezes ? deepFreeze : freezeShallow;
    this.#making = { sets: new SharedFieldSets(), share: (object) => this.#share(object), freeze };
  }

  /** `encode` for a new object, which shares what it can. */
  encodeNew(object: Draft): Uint8Array {
    this.#share(object);
    return this.encode(object);
  }

  /** The bytes to be stored for `object`, which belongs to the cache from now on. */
  encode(object: Draft): Uint8Array {
    const { sets } = this.#making;
    const { metadata } = object;
    if (metadata.managedFields !== undefined) metadata.managedFields = sets.share(metadata.managedFields);
    const value = encodeStored(object, (set) => sets.textOf(set));
    this.#written.set(value, object);
    return value;
  }

  /** The entry of a store entry; the same one for the same bytes at the same revision. */
  entry(stored: StoreEntry): CacheEntry {
    const known = this.#entries.get(stored.value);
    if (known !== undefined && known.revision === stored.modRevision) return known;
    const entry = new CacheEntry(stored, this.#making, this.#take(stored));
    this.#entries.set(stored.value, entry);
    return entry;
  }

  #share(object: Draft): void {
    const id = `${object.apiVersion}/${object.kind}`;
    const newest = this.#newest.get(id);
    if (newest !== undefined) shareUnchanged(object, newest);
    this.#newest.set(id, object);
  }

  #take({ value, modRevision }: StoreEntry): Draft | undefined {
    const object = this.#written.get(value);
    if (object === undefined) return undefined;
    this.#written.delete(value);
    object.metadata.resourceVersion = String(modRevision);
    this.#making.freeze(object);
    return object;
  }
}

function freezeShallow(object: Draft): void {
  Object.freeze(object.metadata);
  Object.freeze(object);
}
