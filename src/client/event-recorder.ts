// Tells people what components do, as core/v1 Events. Recording never throws and never waits: events go through a
// bounded queue, and are dropped rather than holding anyone up.
import { resources } from "../api/index.ts";
import type { Event, ObjectReference } from "../api/types/core/v1.ts";
import { type Clock, type Logger, type Random, randomInt, timestamp } from "../base/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, StatusError } from "../machinery/index.ts";
import type { Client } from "./client.ts";
import { type Correlated, EventCorrelator } from "./event-correlator.ts";

export type EventType = "Normal" | "Warning";

/** An object with its apiVersion and kind, or a reference (which may name a part of it in `fieldPath`). */
export type EventTarget = DeepReadonly<KubeObject> | DeepReadonly<ObjectReference>;

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Such as `kubelet` or `replicaset-controller`. */
  readonly component: string;
  /** The node, for components that run on one. */
  readonly host?: string;
}

/** client-go's: events that may wait, and how a server that cannot be reached is tried again. */
const MAX_QUEUED = 1000;
const MAX_TRIES = 12;
const RETRY_AFTER_MS = 10_000;

/** @see client-go `tools/record/event.go` */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #stop = new AbortController();
  #queued: Event[] = [];
  /** Whether events were dropped since the queue was last empty: only the first of them is logged. */
  #isDropping = false;
  #sending: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
  }

  event(target: EventTarget, type: EventType, reason: string, message: string): void {
    const reference = "metadata" in target ? referenceTo(target) : target;
    if (reference.kind === undefined || reference.kind === "") {
      this.#options.logger.error("an event's object has no kind", { reason, message });
      return;
    }
    if (this.#stop.signal.aborted) return;
    if (this.#queued.length >= MAX_QUEUED) {
      if (!this.#isDropping) this.#options.logger.warn("drops events: too many are waiting", { reason, message });
      this.#isDropping = true;
      return;
    }
    this.#queued.push(this.#make(reference, type, reason, message));
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when all that was recorded so far has been told or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Drops what waits; later events are ignored. */
  async close(): Promise<void> {
    this.#queued = [];
    this.#stop.abort();
    await this.#sending;
  }

  #make(reference: DeepReadonly<ObjectReference>, type: EventType, reason: string, message: string): Event {
    const { clock, random, component, host = "" } = this.#options;
    const now = timestamp(clock);
    // Upstream's suffix is the time in nanoseconds; the clock has milliseconds, the rest is random.
    const suffix = (BigInt(Math.trunc(clock.now())) * 1_000_000n + BigInt(randomInt(random, 1_000_000))).toString(16);
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${reference.name ?? ""}.${suffix}`, namespace: reference.namespace || "default" },
      involvedObject: { ...reference },
      type,
      reason,
      message,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      source: { component, ...(host === "" ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host,
    };
  }

  async #sendAll(): Promise<void> {
    // Lets the caller go on first.
    await Promise.resolve();
    for (let event = this.#queued.shift(); event !== undefined; event = this.#queued.shift()) {
      const correlated = this.#correlator.correlate(event);
      if (correlated.type !== "skip") await this.#send(correlated);
    }
    this.#sending = undefined;
    this.#isDropping = false;
  }

  async #send(correlated: Exclude<Correlated, { type: "skip" }>): Promise<void> {
    const { clock, random, logger } = this.#options;
    const { signal } = this.#stop;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        this.#correlator.stored(correlated.key, await this.#write(correlated));
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StatusError || tries === MAX_TRIES) {
          logger.warn("an event was not stored", { reason: correlated.event.reason, error });
          return;
        }
      }
      // The first pause is cut short by chance, so that components do not all return together.
      const delayMs = tries === 1 ? RETRY_AFTER_MS * random.next() : RETRY_AFTER_MS;
      await clock.sleep(delayMs, signal).catch(() => {});
    }
  }

  async #write(correlated: Exclude<Correlated, { type: "skip" }>): Promise<DeepReadonly<Event>> {
    const { client } = this.#options;
    const { signal } = this.#stop;
    const { name = "", namespace } = correlated.event.metadata;
    if (correlated.type === "patch") {
      try {
        const type = "application/strategic-merge-patch+json";
        return await client.patch(resources.events, name, correlated.patch, { namespace, signal, type });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return client.create(resources.events, correlated.event, { namespace, signal });
  }
}

function referenceTo(object: DeepReadonly<KubeObject>): DeepReadonly<ObjectReference> {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name, namespace, uid, resourceVersion };
}
