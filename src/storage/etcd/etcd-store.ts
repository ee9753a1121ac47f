// The store for more than one server: a real etcd. Writes are transactions on a key's revision; one watch stream feeds the
// history from which all watches of this process are served.
import type { ICompare, IKeyValue, IRequestOp, ITxnResponse } from "etcd3";
import type { Clock, Logger } from "../../base/index.ts";
import { KeyExistsError, RevisionConflictError, StoreClosedError, StoreUnavailableError } from "../errors.ts";
import { History } from "../history.ts";
import type { PutOptions, RangeOptions, RangeResult, Store, StoreEntry, StoreEvent, WatchOptions } from "../store.ts";
import { EtcdClient, type EtcdClientOptions } from "./etcd-client.ts";
import { EventStream } from "./event-stream.ts";
import { EtcdKeys, justAfter } from "./keys.ts";
import { LeasePool } from "./lease-pool.ts";
import { OwnValues } from "./own-values.ts";
import { RevisionProbe } from "./revision-probe.ts";

export interface EtcdStoreOptions extends EtcdClientOptions {
  /** All keys are below it, such as `/k8ts`; "" for an etcd of our own. */
  readonly prefix: string;
  readonly logger: Logger;
}

/** Entries asked for at once. */
const PAGE_SIZE = 500;
/** Upstream's: history older than this is given up. */
const COMPACTION_PERIOD_MS = 5 * 60_000;

export class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #keys: EtcdKeys;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leases: LeasePool;
  readonly #history: History;
  readonly #probe: RevisionProbe;
  readonly #abort = new AbortController();
  readonly #streaming: Promise<unknown>;
  /** Values that were written here and whose events are still to come: these are given the very bytes of the writer. */
  readonly #written = new OwnValues();

  private constructor(options: EtcdStoreOptions, client: EtcdClient, startRevision: number) {
    const { prefix, clock, logger } = options;
    this.#client = client;
    this.#keys = new EtcdKeys(prefix);
    this.#clock = clock;
    this.#logger = logger;
    this.#leases = new LeasePool(clock, async (ttlSeconds) => {
      return (await client.call((etcd) => etcd.leaseClient.leaseGrant({ TTL: ttlSeconds }))).value.ID;
    });
    this.#history = new History({ startRevision });
    this.#probe = new RevisionProbe(startRevision, () => this.#headRevision());
    const stream = new EventStream(
      {
        client,
        keys: this.#keys,
        clock,
        logger,
        onEvents: (events, seenRevision) => this.#take(events, seenRevision),
        onLost: (revision) => this.#lose(revision),
      },
      startRevision,
    );
    const { signal } = this.#abort;
    this.#streaming = Promise.all([stream.run(signal), this.#compactRegularly(signal)]);
  }

  /** Connects; rejects when no member answers. */
  static async open(options: EtcdStoreOptions): Promise<EtcdStore> {
    const client = new EtcdClient(options);
    try {
      const { value } = await client.call((etcd) => etcd.kv.range({ key: Buffer.from([0]), limit: 1, keys_only: true }));
      return new EtcdStore(options, client, Number(value.header.revision));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async create(key: string, value: Uint8Array, options: PutOptions = {}): Promise<StoreEntry> {
    const absent: ICompare = { key: this.#keys.of(key), target: "Version", result: "Equal", version: 0 };
    const { entry, current } = await this.#put({ key, value, options, compare: absent });
    if (entry === undefined) throw new KeyExistsError(key, current);
    return entry;
  }

  async update(key: string, value: Uint8Array, expectedRevision: number, options: PutOptions = {}): Promise<StoreEntry> {
    const { entry, current } = await this.#put({ key, value, options, compare: this.#isAt(key, expectedRevision) });
    if (entry === undefined) throw new RevisionConflictError(key, expectedRevision, current);
    return entry;
  }

  async delete(key: string, expectedRevision: number): Promise<number> {
    const success = [{ request_delete_range: { key: this.#keys.of(key) } }];
    const { value: answer, isRepeated } = await this.#transact(this.#isAt(key, expectedRevision), success, key);
    if (answer.succeeded) return Number(answer.header.revision);
    const current = this.#found(answer);
    if (isRepeated && current === undefined)
      throw new StoreUnavailableError(new Error(`whether ${key} was deleted by this call is not known`));
    throw new RevisionConflictError(key, expectedRevision, current);
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const { value } = await this.#client.call((etcd) => etcd.kv.range({ key: this.#keys.of(key) }));
    return value.kvs[0] && this.#keys.entry(value.kvs[0]);
  }

  async range(prefix: string, { revision, limit, after }: RangeOptions = {}): Promise<RangeResult> {
    if (revision !== undefined && revision > this.#history.revision) await this.currentRevision();
    if (revision !== undefined) this.#history.checkRevision(revision);
    const asOf = revision ?? (await this.currentRevision());
    const entries: StoreEntry[] = [];
    let start = after === undefined ? this.#keys.of(prefix) : justAfter(this.#keys.of(after));
    for (;;) {
      const size = Math.min(PAGE_SIZE, (limit ?? Number.POSITIVE_INFINITY) - entries.length);
      const request = { key: start, range_end: this.#keys.endOf(prefix), limit: size, revision: asOf };
      const { value } = await this.#client.call((etcd) => etcd.kv.range(request));
      for (const kv of value.kvs) entries.push(this.#keys.entry(kv));
      const last = value.kvs.at(-1);
      const remaining = Number(value.count) - value.kvs.length;
      if (last === undefined || remaining <= 0 || entries.length === limit) {
        return { entries, revision: asOf, hasMore: remaining > 0, remaining: Math.max(0, remaining) };
      }
      start = justAfter(last.key);
    }
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]> {
    this.#checkOpen();
    const { afterRevision = 0 } = options;
    return afterRevision <= this.#history.revision ? this.#history.watch(prefix, options) : this.#watchLater(prefix, options);
  }

  /** A write may be acknowledged here before its event has come. */
  async *#watchLater(prefix: string, options: WatchOptions): AsyncIterable<readonly StoreEvent[]> {
    await this.#probe.caughtUp();
    yield* this.#history.watch(prefix, options);
  }

  /** Our newest write that etcd has acknowledged to anyone by now; this process has seen its event. */
  async currentRevision(): Promise<number> {
    this.#checkOpen();
    await this.#probe.caughtUp();
    return this.#history.revision;
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    try {
      await this.#client.call((etcd) => etcd.kv.compact({ revision }));
    } catch (error) {
      if (!String(error).includes("required revision has been compacted")) throw error;
    }
    this.#history.compact(revision);
  }

  async sizeBytes(): Promise<number> {
    const { value } = await this.#client.call((etcd) => etcd.maintenance.status());
    return Number(value.dbSize);
  }

  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(new StoreClosedError());
    this.#client.close();
    this.#history.close();
    this.#probe.close(new StoreClosedError());
    await this.#streaming;
  }

  #checkOpen(): void {
    if (this.#abort.signal.aborted) throw new StoreClosedError();
  }

  #isAt(key: string, revision: number): ICompare {
    return { key: this.#keys.of(key), target: "Mod", result: "Equal", mod_revision: revision };
  }

  async #put({ key, value, options, compare }: Put): Promise<{ readonly entry?: StoreEntry; readonly current?: StoreEntry | undefined }> {
    this.#checkOpen();
    const { ttlSeconds } = options;
    const lease = ttlSeconds === undefined ? {} : { lease: await this.#leases.leaseFor(ttlSeconds) };
    const place = this.#keys.of(key);
    const put = { request_put: { key: place, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), ...lease } };
    const written = this.#written.begin(key, value);
    try {
      const { value: answer, isRepeated } = await this.#transact(compare, [put, { request_range: { key: place, keys_only: true } }], key);
      const found = this.#found(answer);
      // A try whose answer was lost has written it already.
      const isOurs = answer.succeeded || (isRepeated && found !== undefined && Buffer.compare(found.value, value) === 0);
      if (!isOurs || found === undefined) return { current: found };
      written.at(found.modRevision, this.#probe.seenRevision);
      return { entry: { ...found, value } };
    } finally {
      written.end();
    }
  }

  #transact(compare: ICompare, success: IRequestOp[], key: string) {
    const failure = [{ request_range: { key: this.#keys.of(key) } }];
    return this.#client.call((etcd) => etcd.kv.txn({ compare: [compare], success, failure }));
  }

  /** What the transaction's last range has found. */
  #found({ responses }: ITxnResponse): StoreEntry | undefined {
    const kv: IKeyValue | undefined = responses.at(-1)?.response_range?.kvs[0];
    return kv && this.#keys.entry(kv);
  }

  #take(events: readonly StoreEvent[], seenRevision: number): void {
    if (events.length > 0) this.#history.append(events.map((event) => this.#withOwnBytes(event)));
    this.#probe.saw(seenRevision);
  }

  #withOwnBytes(event: StoreEvent): StoreEvent {
    const value = event.type === "put" ? this.#written.take(event.entry) : undefined;
    return event.type === "put" && value !== undefined ? { ...event, entry: { ...event.entry, value } } : event;
  }

  #lose(revision: number): void {
    this.#logger.error("etcd has compacted events that were not seen here", { revision });
    this.#history.skipTo(revision);
    this.#written.forget(revision);
    this.#probe.saw(revision);
  }

  async #headRevision(): Promise<number> {
    const { value } = await this.#client.call((etcd) => etcd.kv.range({ key: Buffer.from([0]), limit: 1, keys_only: true }));
    return Number(value.header.revision);
  }

  /** Gives up what was history a period ago; that several servers do so is harmless. */
  async #compactRegularly(signal: AbortSignal): Promise<void> {
    let previous: number | undefined;
    while (!signal.aborted) {
      await this.#clock.sleep(COMPACTION_PERIOD_MS, signal).catch(() => {});
      if (signal.aborted) return;
      const present = this.#history.revision;
      try {
        if (previous !== undefined && previous < present) await this.compact(previous);
        previous = present;
      } catch (error) {
        this.#logger.warn("etcd was not compacted", { error: String(error) });
      }
    }
  }
}

interface Put {
  readonly key: string;
  readonly value: Uint8Array;
  readonly options: PutOptions;
  /** What must hold. */
  readonly compare: ICompare;
}
