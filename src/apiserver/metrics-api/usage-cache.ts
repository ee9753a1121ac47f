// The last two samples of each node that someone asks about. Nothing is fetched while nobody asks.
import type { Clock, Logger } from "../../base/index.ts";
import type { NodeUsage, UsageSource } from "./usage.ts";

export interface UsageCacheOptions {
  readonly source: UsageSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Two looks at a node, the later one last. */
export interface UsagePair {
  readonly earlier: NodeUsage;
  readonly later: NodeUsage;
}

interface Known {
  readonly pair: UsagePair;
  /** By the monotonic clock. */
  readonly laterMs: number;
}

/** Answers are this old at most. */
export const FRESH_MS = 15_000;
/** The first sample of a new pair is thrown away when it is older: a rate over minutes says nothing about now. */
export const STALE_MS = 60_000;
/** With nothing to compare to, a second sample is taken after so long. */
export const FIRST_WINDOW_MS = 1_000;

/** What has to be done before a node's usage can be told. */
export function samplesNeeded(laterMs: number | undefined, nowMs: number): "none" | "one" | "two" {
  if (laterMs === undefined || nowMs - laterMs > STALE_MS) return "two";
  return nowMs - laterMs > FRESH_MS ? "one" : "none";
}

export class UsageCache {
  readonly #options: UsageCacheOptions;
  readonly #known = new Map<string, Known>();
  /** A node is asked once for all who wait. */
  readonly #pending = new Map<string, Promise<UsagePair | undefined>>();

  constructor(options: UsageCacheOptions) {
    this.#options = options;
  }

  /** Undefined when the node does not answer. */
  usageOf(nodeName: string): Promise<UsagePair | undefined> {
    const known = this.#known.get(nodeName);
    const need = samplesNeeded(known?.laterMs, this.#options.clock.monotonic());
    if (known !== undefined && need === "none") return Promise.resolve(known.pair);
    const pending = this.#pending.get(nodeName);
    if (pending !== undefined) return pending;
    const fetching = this.#fetch(nodeName, need === "one" ? known?.pair.later : undefined);
    this.#pending.set(nodeName, fetching);
    return fetching.finally(() => this.#pending.delete(nodeName));
  }

  /** Forgets nodes that are gone. */
  retain(nodeNames: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!nodeNames.has(name)) this.#known.delete(name);
  }

  async #fetch(nodeName: string, last: NodeUsage | undefined): Promise<UsagePair | undefined> {
    const { source, clock, logger } = this.#options;
    try {
      let earlier = last;
      if (earlier === undefined) {
        earlier = await source.read(nodeName);
        await clock.sleep(FIRST_WINDOW_MS);
      }
      const pair = { earlier, later: await source.read(nodeName) };
      this.#known.set(nodeName, { pair, laterMs: clock.monotonic() });
      return pair;
    } catch (error) {
      logger.warn("a node does not tell its usage", { node: nodeName, error });
      this.#known.delete(nodeName);
      return undefined;
    }
  }
}
