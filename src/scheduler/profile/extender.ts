// Programs outside that take part in scheduling over HTTP.
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";

export interface ExtenderFilterResult {
  /** Names of the nodes that are left. */
  readonly nodeNames: readonly string[];
  /** By name of the node: why it is none. */
  readonly failed: Readonly<Record<string, string>>;
  /** Those of them where evicting pods could not help. */
  readonly failedAndUnresolvable: Readonly<Record<string, string>>;
}

/** A node where the pod would fit without some others. */
export interface PreemptionCandidate {
  readonly node: NodeInfo;
  readonly victims: readonly PodInfo[];
  /** How many of them a disruption budget protects. */
  readonly violations: number;
}

export interface PreemptionAnswer {
  readonly nodeName: string;
  readonly victimUids: readonly string[];
  readonly violations: number;
}

export interface Extender {
  readonly name: string;
  /** Whether pods are scheduled without it when it fails. */
  readonly isIgnorable: boolean;
  /** Whether it wants to be asked about the pod. */
  isInterested(pod: PodInfo): boolean;
  filter?(pod: PodInfo, nodeNames: readonly string[], signal: AbortSignal): Promise<ExtenderFilterResult>;
  /** Scores by name of the node, weighted, to be added to those of the plug-ins. */
  prioritize?(pod: PodInfo, nodeNames: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  /** Says which candidates are left, and who would have to go there. */
  preempt?(pod: PodInfo, candidates: readonly PreemptionCandidate[], signal: AbortSignal): Promise<readonly PreemptionAnswer[]>;
  bind?(pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<void>;
}
