// What the node agent is to those that make content of volumes and learn by themselves that it has changed.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface ContentHost {
  /** Aborts when the agent stops. */
  readonly signal: AbortSignal;
  /** Something that the pod's volumes show, or wait for, has changed. */
  onChange(podUid: string): void;
  /** Records an event about the pod. */
  warn(pod: DeepReadonly<Pod>, reason: string, message: string): void;
}

export interface ContentSource {
  /** Before this, nothing is asked of it. */
  start(host: ContentHost): void;
}
