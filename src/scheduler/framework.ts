// What a scheduler plugin is: upstream's Filter and Score extension points, each a function of one pod and one node.
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** Changes of the cluster that may make a rejected pod fit. */
export type ClusterEvent = "NodeAdded" | "NodeAllocatableChanged" | "NodeLabelsChanged" | "NodeTaintsChanged" | "AssignedPodDeleted";

export interface Rejection {
  /** In upstream's words; each counts once per node in FailedScheduling. */
  readonly reasons: readonly string[];
  /** Whether evicting other pods could not help either. */
  readonly isUnresolvable: boolean;
}

/**
 * `none`: the score is final, 0 to 100. `max`: scaled so that the best node gets 100. `reverseMax`: scaled so, then
 * turned around, so that the lowest gets 100.
 */
export type Normalization = "none" | "max" | "reverseMax";

export interface ScheduledPlugin {
  readonly name: string;
  /** Which events wake a pod that this plugin rejected. */
  readonly wakesOn: readonly ClusterEvent[];
  /** Undefined lets the pod onto the node. */
  filter?(pod: PodInfo, node: NodeInfo): Rejection | undefined;
  readonly scoring?: Scoring;
}

export interface Scoring {
  readonly weight: number;
  readonly normalization: Normalization;
  /** Whether the pod gives this plugin anything to score; default: always. */
  applies?(pod: PodInfo): boolean;
  score(pod: PodInfo, node: NodeInfo): number;
}

/** The highest score of one plugin. */
export const MAX_SCORE = 100;

/** A rejection with one fixed reason, made once. */
export function rejection(reason: string, { isUnresolvable = false } = {}): Rejection {
  return { reasons: [reason], isUnresolvable };
}
