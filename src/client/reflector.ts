// Follows one resource: lists, watches, resumes and starts over as reflector-step.ts decides, and hands what it learns
// to a sink. Never gives up before its signal aborts.

import type { ResourceRef } from "../api/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { KubeObject } from "../machinery/index.ts";
import type { Client, WatchCallOptions } from "./client.ts";
import { isConnectionError } from "./connection-error.ts";
import {
  initialState,
  type ReflectorInput,
  type ReflectorOutput,
  type ReflectorState,
  type ReflectorStep,
  step,
} from "./reflector-step.ts";

/** Which objects of a resource. */
export interface Selection {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly resource: ResourceRef<T>;
  readonly selection?: Selection;
  /** Gets what is learned, synchronously and in order. */
  readonly sink: (output: ReflectorOutput<T>) => void;
  /** Whether to try one stream for list and watch (sendInitialEvents). Default true. */
  readonly canStream?: boolean;
}

/** client-go's: 800 ms doubling to 30 s, each up to twice as long, back to the start after two quiet minutes. */
const FIRST_BACKOFF_MS = 800;
const MAX_BACKOFF_MS = 30_000;
const BACKOFF_RESET_MS = 120_000;
/** A watch lasts between one and two times this, so that watches do not all end together. */
const MIN_WATCH_SECONDS = 300;

/** @see client-go `tools/cache/reflector.go` */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  #state: ReflectorState<T>;
  #backoffMs = FIRST_BACKOFF_MS;
  #lastBackoffMs = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#state = initialState(options.canStream ?? true);
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = await this.#call(signal);
      if (next === "backoff" && !signal.aborted) await this.#backOff(signal);
    }
  }

  /** Makes the one call that the state asks for and feeds its answers to the step function. */
  async #call(signal: AbortSignal): Promise<ReflectorStep<T>["next"]> {
    try {
      if (this.#state.tag === "listing") return await this.#list(this.#state.resourceVersion, signal);
      for await (const events of this.#options.client.watch(this.#options.resource, this.#watchOptions(signal))) {
        const next = this.#take({ type: "events", events });
        if (next !== "continue") return next;
      }
      return this.#take({ type: "ended" });
    } catch (error) {
      if (signal.aborted) return "call";
      this.#log(error);
      return this.#take({ type: "failed", error });
    }
  }

  async #list(resourceVersion: "" | "0", signal: AbortSignal): Promise<ReflectorStep<T>["next"]> {
    const { client, resource, selection } = this.#options;
    const list = await client.list(resource, { ...selection, ...(resourceVersion === "" ? {} : { resourceVersion }), signal });
    return this.#take({ type: "listed", items: list.items, resourceVersion: list.resourceVersion });
  }

  #watchOptions(signal: AbortSignal): WatchCallOptions {
    const { random, selection } = this.#options;
    const common = {
      ...selection,
      signal,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(MIN_WATCH_SECONDS * (1 + random.next())),
    };
    if (this.#state.tag === "watching") return { ...common, resourceVersion: this.#state.resourceVersion };
    return { ...common, sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
  }

  #take(input: ReflectorInput<T>): ReflectorStep<T>["next"] {
    const { state, outputs, next } = step(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#options.sink(output);
    return next;
  }

  async #backOff(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#lastBackoffMs > BACKOFF_RESET_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#lastBackoffMs = nowMs;
    const delayMs = this.#backoffMs * (1 + random.next());
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    await clock.sleep(delayMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #log(error: unknown): void {
    const { logger, resource } = this.#options;
    const fields = { resource: resource.resource, group: resource.group, state: this.#state.tag, error };
    if (isConnectionError(error)) logger.debug("watch lost its connection", fields);
    else logger.info("list or watch failed", fields);
  }
}
