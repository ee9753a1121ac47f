// etcd's watch, as one endless stream of our events: connects again where it was cut off, and says when history was lost.
import type { Etcd3, IEvent, IKeyValue, IWatchResponse } from "etcd3";
import { Backoff, type Clock, type Logger } from "../../base/index.ts";
import type { StoreEvent } from "../store.ts";
import type { EtcdClient } from "./etcd-client.ts";
import type { EtcdKeys } from "./keys.ts";

export interface EventStreamOptions {
  readonly client: EtcdClient;
  readonly keys: EtcdKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events of one or more revisions, and the revision up to which all is told. */
  readonly onEvents: (events: readonly StoreEvent[], seenRevision: number) => void;
  /** Events up to this revision are gone and were not all seen. */
  readonly onLost: (compactedRevision: number) => void;
}

type Ending = { readonly is: "cut"; readonly cause?: unknown } | { readonly is: "compacted"; readonly revision: number };
type WatchStream = Awaited<ReturnType<Etcd3["watchClient"]["watch"]>>;

export class EventStream {
  readonly #options: EventStreamOptions;
  /** Everything up to here was told. */
  #seen: number;

  constructor(options: EventStreamOptions, startRevision: number) {
    this.#options = options;
    this.#seen = startRevision;
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#options;
    const backoff = new Backoff<"watch">(clock, { initialMs: 20, maxMs: 1_000 });
    while (!signal.aborted) {
      try {
        const { value: stream } = await client.call((etcd) => etcd.watchClient.watch());
        const ending = await this.#follow(stream, signal);
        if (ending.is === "compacted") {
          this.#seen = Math.max(this.#seen, ending.revision);
          this.#options.onLost(ending.revision);
        } else if (!signal.aborted) logger.warn("the watch on etcd was cut off", { error: String(ending.cause) });
      } catch (error) {
        if (!signal.aborted) logger.warn("etcd cannot be watched", { error: String(error) });
      }
      if (!signal.aborted) await clock.sleep(backoff.next("watch"), signal).catch(() => {});
    }
  }

  #follow(stream: WatchStream, signal: AbortSignal): Promise<Ending> {
    return new Promise((resolve) => {
      const end = (ending: Ending) => {
        signal.removeEventListener("abort", onAbort);
        stream.cancel();
        resolve(ending);
      };
      const onAbort = () => end({ is: "cut", cause: signal.reason });
      signal.addEventListener("abort", onAbort, { once: true });
      stream.on("error", (cause) => end({ is: "cut", cause }));
      stream.on("end", () => end({ is: "cut" }));
      stream.on("data", (response: IWatchResponse) => {
        if (response.canceled) end(endingOf(response));
        else this.#take(response);
      });
      // All keys, so that the stream also tells of revisions that others in the same etcd have made.
      const all = Buffer.from([0]);
      stream.write({ create_request: { key: all, range_end: all, start_revision: this.#seen + 1, prev_kv: true } });
    });
  }

  #take({ events, created }: IWatchResponse): void {
    const last = events.at(-1);
    if (created || last === undefined) return;
    this.#seen = Number(last.kv.mod_revision);
    const { keys, onEvents } = this.#options;
    onEvents(
      events.flatMap((event) => eventOf(event, keys) ?? []),
      this.#seen,
    );
  }
}

function endingOf({ compact_revision, cancel_reason }: IWatchResponse): Ending {
  const revision = Number(compact_revision);
  return revision > 0 ? { is: "compacted", revision } : { is: "cut", cause: cancel_reason };
}

/** Undefined for keys of others. */
function eventOf({ type, kv, prev_kv }: IEvent, keys: EtcdKeys): StoreEvent | undefined {
  const key = keys.nameOf(kv.key);
  if (key === undefined) return undefined;
  const known: IKeyValue | null = prev_kv;
  const previous = known === null ? undefined : keys.entry(known);
  if (type === "Put") return { type: "put", entry: keys.entry(kv), previous };
  const revision = Number(kv.mod_revision);
  // etcd does not know any more what was deleted when that is compacted already.
  return { type: "delete", key, revision, previous: previous ?? { key, value: new Uint8Array(), createRevision: 0, modRevision: 0 } };
}
