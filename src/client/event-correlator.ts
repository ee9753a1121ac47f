// Keeps Events few: the same one again raises a count, many similar ones become one, and a chatty source is silenced.
import type { Event } from "../api/types/core/v1.ts";
import type { Clock } from "../base/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import { LruMap } from "./lru-map.ts";
import { TokenBucket } from "./token-bucket.ts";

/** client-go's defaults: how many keys are remembered, when similar events are combined, how much a source may say of one object. */
const REMEMBERED_KEYS = 4096;
const SIMILAR_EVENTS = 10;
const SIMILAR_WITHIN_MS = 10 * 60 * 1000;
const SPAM_BUCKET = { burst: 25, qps: 1 / 300 };

/** What to do with an event. */
export type Correlated =
  | { readonly type: "skip" }
  | { readonly type: "create"; readonly key: string; readonly event: Event }
  /** It has been told before: `patch` (a strategic merge patch) brings the stored one up to date, `event` is for when that is gone. */
  | { readonly type: "patch"; readonly key: string; readonly event: Event; readonly patch: unknown };

interface Similar {
  messages: Set<string>;
  lastMs: number;
}

interface Told {
  readonly name: string;
  readonly count: number;
  readonly firstTimestamp: string | undefined;
}

/** @see client-go `tools/record/events_cache.go` */
export class EventCorrelator {
  readonly #similar = new LruMap<string, Similar>(REMEMBERED_KEYS);
  readonly #told = new LruMap<string, Told>(REMEMBERED_KEYS);
  readonly #buckets = new LruMap<string, TokenBucket>(REMEMBERED_KEYS);
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** `event` has a count of 1. */
  correlate(event: Event): Correlated {
    const { key, message } = this.#aggregate(event);
    const told = this.#told.get(key);
    const name = told?.name ?? event.metadata.name ?? "";
    const count = (told?.count ?? 0) + 1;
    const firstTimestamp = told === undefined ? event.firstTimestamp : told.firstTimestamp;
    this.#told.set(key, { name, count, firstTimestamp });
    if (!this.#bucket(event).tryTake()) return { type: "skip" };
    const counted: Event = { ...event, metadata: { ...event.metadata, name }, message, count, firstTimestamp };
    if (told === undefined) return { type: "create", key, event: counted };
    return { type: "patch", key, event: counted, patch: { message, count, lastTimestamp: event.lastTimestamp } };
  }

  /** What the server answered: later patches go to this object. */
  stored(key: string, event: DeepReadonly<Event>): void {
    this.#told.set(key, { name: event.metadata.name ?? "", count: event.count ?? 1, firstTimestamp: event.firstTimestamp });
  }

  /** Under which key and text the event is told: its own, or those of all that are like it. */
  #aggregate(event: Event): { readonly key: string; readonly message: string } {
    const message = event.message ?? "";
    const similarKey = similarKeyOf(event);
    const nowMs = this.#clock.monotonic();
    let similar = this.#similar.get(similarKey);
    if (similar === undefined || nowMs - similar.lastMs > SIMILAR_WITHIN_MS) {
      similar = { messages: new Set(), lastMs: nowMs };
      this.#similar.set(similarKey, similar);
    }
    similar.messages.add(message);
    similar.lastMs = nowMs;
    if (similar.messages.size < SIMILAR_EVENTS) {
      return { key: JSON.stringify([similarKey, message, event.involvedObject.fieldPath ?? ""]), message };
    }
    const [oldest] = similar.messages;
    if (oldest !== undefined) similar.messages.delete(oldest);
    return { key: similarKey, message: `(combined from similar events): ${message}` };
  }

  #bucket(event: Event): TokenBucket {
    const key = objectKeyOf(event);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = new TokenBucket(this.#clock, SPAM_BUCKET)));
    return bucket;
  }
}

/** Who speaks of what. */
function objectKeyOf({ source, involvedObject }: Event): string {
  const { kind, namespace, name, uid, apiVersion } = involvedObject;
  return JSON.stringify([source?.component, source?.host, kind, namespace, name, uid, apiVersion]);
}

function similarKeyOf(event: Event): string {
  return JSON.stringify([objectKeyOf(event), event.type, event.reason]);
}
