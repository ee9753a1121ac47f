// A store that encrypts the values below some prefixes before another store sees them. Keys, revisions and events are the
// inner store's; values in other places pass through untouched.
import { KeyExistsError, RevisionConflictError, SealedValueError } from "../errors.ts";
import type { PutOptions, RangeOptions, RangeResult, Store, StoreEntry, StoreEvent, WatchOptions } from "../store.ts";
import { SEALED_MARK, type ValueCipher } from "./cipher.ts";

/** How values below a prefix are kept. */
export interface EncryptionRule {
  readonly prefixes: readonly string[];
  /** Seals what is written; undefined writes in clear. */
  readonly writer: ValueCipher | undefined;
  /** Open what is read, the writer among them. */
  readonly readers: readonly ValueCipher[];
  /** Whether values in clear are accepted. */
  readonly acceptsPlain: boolean;
}

const mark = Buffer.from(SEALED_MARK);

export class EncryptingStore implements Store {
  readonly #inner: Store;
  readonly #rules: readonly EncryptionRule[];
  /** What the sealed bytes hold: the inner store hands the same bytes to writers, readers and watchers. */
  readonly #opened = new WeakMap<Uint8Array, Uint8Array>();

  /** The first rule with a prefix of a key decides about it. */
  constructor(inner: Store, rules: readonly EncryptionRule[]) {
    this.#inner = inner;
    this.#rules = rules;
  }

  async create(key: string, value: Uint8Array, options?: PutOptions): Promise<StoreEntry> {
    try {
      return this.#open(await this.#inner.create(key, this.#seal(key, value), options));
    } catch (error) {
      throw error instanceof KeyExistsError ? new KeyExistsError(key, error.existing && this.#open(error.existing)) : error;
    }
  }

  async update(key: string, value: Uint8Array, expectedRevision: number, options?: PutOptions): Promise<StoreEntry> {
    try {
      return this.#open(await this.#inner.update(key, this.#seal(key, value), expectedRevision, options));
    } catch (error) {
      throw this.#conflict(error, key, expectedRevision);
    }
  }

  async delete(key: string, expectedRevision: number): Promise<number> {
    try {
      return await this.#inner.delete(key, expectedRevision);
    } catch (error) {
      throw this.#conflict(error, key, expectedRevision);
    }
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const entry = await this.#inner.get(key);
    return entry && this.#open(entry);
  }

  async range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    const result = await this.#inner.range(prefix, options);
    return { ...result, entries: result.entries.map((entry) => this.#open(entry)) };
  }

  async *watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]> {
    for await (const batch of this.#inner.watch(prefix, options)) yield batch.map((event) => this.#openEvent(event));
  }

  currentRevision(): Promise<number> {
    return this.#inner.currentRevision();
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  sizeBytes(): Promise<number> {
    return this.#inner.sizeBytes();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Writes again, with the present writers, what earlier ones have left, but for `excepted` keys; answers how many values. */
  async rewriteStale(excepted: (key: string) => boolean = () => false): Promise<number> {
    let count = 0;
    for (const prefix of new Set(this.#rules.flatMap(({ prefixes }) => prefixes))) {
      const { entries } = await this.#inner.range(prefix);
      for (const entry of entries.filter(({ key, value }) => !excepted(key) && this.#isStale(key, value))) {
        const plain = this.#open(entry).value;
        const written = this.#inner.update(entry.key, this.#seal(entry.key, plain), entry.modRevision).catch((error: unknown) => {
          // Whoever wrote in between has used the present writer.
          if (!(error instanceof RevisionConflictError)) throw error;
          return undefined;
        });
        if ((await written) !== undefined) count++;
      }
    }
    return count;
  }

  #isStale(key: string, value: Uint8Array): boolean {
    const writer = this.#ruleOf(key)?.writer;
    return writer === undefined ? startsWith(value, mark) : !startsWith(value, writer.prefix);
  }

  /** Asked several times for each write. */
  #ruleOf(key: string): EncryptionRule | undefined {
    for (const rule of this.#rules) for (const prefix of rule.prefixes) if (key.startsWith(prefix)) return rule;
    return undefined;
  }

  #seal(key: string, value: Uint8Array): Uint8Array {
    const writer = this.#ruleOf(key)?.writer;
    if (writer === undefined) return value;
    const sealed = writer.seal(key, value);
    this.#opened.set(sealed, value);
    return sealed;
  }

  #open(entry: StoreEntry): StoreEntry {
    const rule = this.#ruleOf(entry.key);
    if (rule === undefined) return entry;
    const value = this.#opened.get(entry.value) ?? this.#decrypt(entry, rule);
    return value === entry.value ? entry : { ...entry, value };
  }

  #decrypt({ key, value }: StoreEntry, { readers, acceptsPlain }: EncryptionRule): Uint8Array {
    if (!startsWith(value, mark)) {
      if (acceptsPlain) return value;
      throw new SealedValueError(`${key} is not encrypted, and the encryption configuration has no identity provider for it`);
    }
    const reader = readers.find(({ prefix }) => startsWith(value, prefix));
    if (reader === undefined) {
      const name = Buffer.from(value.subarray(0, 64)).toString("latin1").split(":", 5).slice(2).join(":");
      throw new SealedValueError(`${key} is encrypted with ${name}, which the encryption configuration does not have: add this key again`);
    }
    try {
      const plain = reader.open(key, value);
      this.#opened.set(value, plain);
      return plain;
    } catch (error) {
      throw new SealedValueError(`${key} cannot be decrypted: it was damaged or moved, or its key was replaced`, { cause: error });
    }
  }

  #openEvent(event: StoreEvent): StoreEvent {
    if (this.#ruleOf(event.type === "put" ? event.entry.key : event.key) === undefined) return event;
    const previous = event.previous && this.#open(event.previous);
    if (event.type === "put") return { ...event, entry: this.#open(event.entry), previous };
    return { ...event, previous: previous ?? event.previous };
  }

  #conflict(error: unknown, key: string, expectedRevision: number): unknown {
    if (!(error instanceof RevisionConflictError)) return error;
    return new RevisionConflictError(key, expectedRevision, error.current && this.#open(error.current));
  }
}

function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  return value.length >= prefix.length && prefix.every((byte, at) => value[at] === byte);
}
