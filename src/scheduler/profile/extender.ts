// Programs outside that take part in scheduling over HTTP.
import type { PodInfo } from "../cluster/pod-info.ts";

export interface ExtenderFilterResult {
  /** Names of the nodes that are left. */
  readonly nodeNames: readonly string[];
  /** By name of the node: why it is none. */
  readonly failed: Readonly<Record<string, string>>;
  /** Those of them where evicting pods could not help. */
  readonly failedAndUnresolvable: Readonly<Record<string, string>>;
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
  bind?(pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<void>;
}
