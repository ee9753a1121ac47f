// Tells the server what became of a pod that could not be scheduled: its condition, and the node it hopes for.
import { getCondition, resources } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import { type Clock, formatTime, type Logger } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { type DeepReadonly, isConflict, isNotFound } from "../machinery/index.ts";

export interface SchedulingOutcome {
  readonly reason: "Unschedulable" | "SchedulerError";
  readonly message: string;
  /** Undefined leaves what stands there. */
  readonly nominatedNodeName?: string | undefined;
}

export interface PodStatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class PodStatusWriter {
  readonly #options: PodStatusWriterOptions;

  constructor(options: PodStatusWriterOptions) {
    this.#options = options;
  }

  /** Writes only what differs from `pod`. Never throws: the next attempt writes again. */
  async write(pod: DeepReadonly<Pod>, outcome: SchedulingOutcome, signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#options;
    const { namespace = "", name = "" } = pod.metadata;
    const status = changedStatus(pod, outcome, formatTime(clock.now()));
    if (status === undefined) return;
    const type = "application/strategic-merge-patch+json";
    const patch = { metadata: { uid: pod.metadata.uid }, status };
    try {
      await client.patch(resources.pods, name, patch, { namespace, subresource: "status", type, signal });
    } catch (error) {
      if (signal.aborted || isNotFound(error) || isConflict(error)) return;
      logger.warn("updating the pod's condition failed", { pod: `${namespace}/${name}`, error: String(error) });
    }
  }
}

function changedStatus(pod: DeepReadonly<Pod>, outcome: SchedulingOutcome, now: string): object | undefined {
  const { reason, message, nominatedNodeName } = outcome;
  const known = getCondition(pod.status?.conditions, "PodScheduled");
  const isKnown = known?.status === "False" && known.reason === reason && known.message === message;
  const isNominated = nominatedNodeName === undefined || nominatedNodeName === (pod.status?.nominatedNodeName ?? "");
  if (isKnown && isNominated) return undefined;
  const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : now;
  const conditions = [{ type: "PodScheduled", status: "False", reason, message, lastTransitionTime }];
  // null takes the field away.
  return isNominated ? { conditions } : { conditions, nominatedNodeName: nominatedNodeName === "" ? null : nominatedNodeName };
}
