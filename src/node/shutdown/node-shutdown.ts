// The end of a machine that is shut down: pods end in the order of their priority, and new ones are refused.
import type { Clock, Logger } from "../../base/index.ts";
import { podUid } from "../pod/pod-object.ts";
import type { EndCause } from "../pod/pod-view.ts";
import type { PodRegistry } from "../pod-registry.ts";
import {
  NODE_SHUTDOWN,
  NODE_SHUTDOWN_REJECTION,
  type ShutdownGroup,
  type ShutdownPeriod,
  shutdownGraceSeconds,
  shutdownGroups,
} from "./plan.ts";

export interface NodeShutdownOptions {
  /** Sorted by priority; none: pods are left to the machine. */
  readonly periods: readonly ShutdownPeriod[];
  readonly pods: Pick<PodRegistry, "list" | "worker" | "untilEnded">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The node is about to end: it is not ready from now on. */
  readonly onBegin: () => void;
}

export class NodeShutdown {
  readonly #options: NodeShutdownOptions;
  #hasBegun = false;

  constructor(options: NodeShutdownOptions) {
    this.#options = options;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Why no pod can start any more; undefined while they can. */
  get rejection(): EndCause | undefined {
    return this.#hasBegun ? NODE_SHUTDOWN_REJECTION : undefined;
  }

  /** Ends the pods; resolves when they have ended, or had all the time that they get. */
  async run(signal: AbortSignal): Promise<void> {
    const { periods, pods, onBegin, logger } = this.#options;
    if (periods.length === 0 || this.#hasBegun) return;
    this.#hasBegun = true;
    onBegin();
    const running = pods.list().filter((pod) => pods.worker(podUid(pod))?.state === "running");
    for (const group of shutdownGroups(running, periods)) {
      logger.info("ending pods before the machine is shut down", { pods: group.pods.length, graceMs: group.graceMs });
      await this.#end(group, signal);
    }
  }

  async #end(group: ShutdownGroup, signal: AbortSignal): Promise<void> {
    const { clock, pods } = this.#options;
    for (const pod of group.pods) pods.worker(podUid(pod))?.evict(NODE_SHUTDOWN, shutdownGraceSeconds(pod, group));
    const over = new AbortController();
    const timer = clock.setTimeout(() => over.abort(), group.graceMs);
    try {
      await pods.untilEnded(group.pods.map(podUid), AbortSignal.any([signal, over.signal]));
    } finally {
      timer.cancel();
    }
  }
}
