// Nodes without machines: thousands of them in one process, which register, live, and play their pods.

import type { UsageReport } from "../server/stats-summary.ts";
import type { HollowContext } from "./hollow-context.ts";
import { HollowPods } from "./hollow-pods.ts";
import { HollowRegistrations } from "./hollow-registrations.ts";
import { hollowUsage } from "./hollow-usage.ts";

export class HollowCluster {
  readonly #context: HollowContext;
  readonly #registrations: HollowRegistrations;
  readonly #pods: HollowPods;

  constructor(context: HollowContext) {
    this.#context = context;
    this.#registrations = new HollowRegistrations(context);
    this.#pods = new HollowPods(context);
  }

  /** Until the signal aborts; the nodes fall silent then, as machines do that lose power. */
  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#context;
    informers.start(signal);
    try {
      await informers.waitForSync(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return;
    }
    await Promise.all([this.#registrations.run(signal), this.#pods.run(signal)]);
  }

  /** Undefined for a node that is not of here. */
  usageOf(nodeName: string): UsageReport | undefined {
    const { nodes, behaviours, clock } = this.#context;
    return nodes.has(nodeName) ? hollowUsage(nodeName, this.#pods.ofNode(nodeName), behaviours, clock.now()) : undefined;
  }
}
