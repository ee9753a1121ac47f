// What a scheduler plug-in is: upstream's extension points, as optional members of one object.
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { Extender } from "../profile/extender.ts";
import type { WakeRule } from "./events.ts";

export interface Rejection {
  /** In upstream's words; each counts once per node in FailedScheduling. */
  readonly reasons: readonly string[];
  /** Whether evicting other pods could not help either. */
  readonly isUnresolvable: boolean;
}

/** Brings scores to 0…100, in place; `nodes` are the nodes that the scores are of. */
export type Normalize = (scores: number[], nodes: readonly NodeInfo[]) => void;

/**
 * `none`: the score is final, 0 to 100. `max`: scaled so that the best node gets 100. `reverseMax`: scaled so, then
 * turned around, so that the lowest gets 100.
 */
export type Normalization = "none" | "max" | "reverseMax" | Normalize;

/** A verdict on nodes that depends on more than the pod and the one node. Made by PreFilter. */
export interface ClusterFilter {
  /** Undefined lets the pod onto the node. Answers for the cluster as it is at the call. */
  filter(node: NodeInfo): Rejection | undefined;
  /** False while every node passes: then `filter` is not asked. */
  isActive?(): boolean;
  /**
   * Nodes for which it answers the same are judged alike; absent: none are. The answer may change only with the node, its pods,
   * and the labels or taints of any node.
   */
  likeness?(node: NodeInfo): string | number;
}

/** A score of nodes that depends on more than the pod and the one node. Made by PreScore. */
export interface ClusterScorer {
  readonly normalization: Normalization;
  /** Called before `score` with the nodes that are left to choose from, or some of them and how many each stands for. */
  start?(nodes: readonly NodeInfo[], sizes?: readonly number[]): void;
  score(node: NodeInfo): number;
  /** False while all nodes would get the same score. */
  isActive?(): boolean;
  /** As that of a ClusterFilter. */
  likeness?(node: NodeInfo): string | number;
}

export interface PreFilterResult {
  /** Only these nodes are looked at. */
  readonly nodeNames?: ReadonlySet<string>;
  readonly filter?: ClusterFilter;
}

/** A score that depends only on the pod and the one node. */
export interface Scoring {
  readonly normalization: Normalization;
  /** Whether the pod gives this plug-in anything to score; default: always. */
  applies?(pod: PodInfo): boolean;
  score(pod: PodInfo, node: NodeInfo): number;
}

/** What PostFilter made of a pod that fits nowhere. */
export interface PostFilterResult {
  /** Where the pod hopes to go; "" withdraws an earlier nomination, undefined leaves it. */
  readonly nominatedNodeName?: string;
  /** Goes into FailedScheduling. */
  readonly message?: string;
  /** What must happen before the pod is tried again (deleting victims, say). */
  readonly pending?: Promise<void>;
}

export interface NodeRejection {
  readonly node: NodeInfo;
  readonly plugin: Pick<Plugin, "name" | "wakesOn">;
  readonly rejection: Rejection;
}

export interface PostFilterContext {
  /** Programs outside that have a say about the pod. */
  readonly extenders: readonly Extender[];
  readonly signal: AbortSignal;
  readonly cluster: ClusterState;
  readonly rejections: readonly NodeRejection[];
  /** Why the pod does not fit on the node as the cluster is at the call, taking in nominated pods of its priority and above. */
  rejectionOn(node: NodeInfo): Rejection | undefined;
}

/** A pod in the queue, as QueueSort sees it. */
export interface QueuedPod {
  readonly info: PodInfo;
  /** Monotonic. */
  readonly queuedAtMs: number;
  readonly attempts: number;
}

/** Pods that go to nodes together or not at all. */
export interface PodBatch {
  /** Uids of those that have no node yet, the one in hand among them. */
  readonly pending: readonly string[];
  /** So many of these must find a node. */
  readonly needed: number;
  /** Told what came of an attempt: why none of them goes to a node, or undefined. */
  settled(failure: string | undefined): void;
}

/** Members are extension points, called in upstream's order; all but the name are optional. */
export interface Plugin {
  readonly name: string;
  /** Which events wake a pod that this plug-in rejected. */
  readonly wakesOn?: readonly WakeRule[];
  /**
   * What of a pod `filter` and `scoring` look at, as JSON can say it. With it their answers are kept, for all pods that read
   * the same, until the node changes. Without it they are asked for each pod.
   */
  reads?(pod: PodInfo): unknown;

  /** PreEnqueue: why the pod may not be scheduled at all yet. */
  preEnqueue?(pod: PodInfo): string | undefined;
  /** Which pods this one is scheduled with; undefined: with none. */
  batch?(pod: PodInfo): PodBatch | undefined;
  /** QueueSort: negative when `a` comes first. One plug-in of a scheduler has it. */
  compare?(a: QueuedPod, b: QueuedPod): number;
  /** PreFilter: a Rejection is for all nodes; undefined means there is nothing to filter. */
  preFilter?(pod: PodInfo, cluster: ClusterState): PreFilterResult | Rejection | undefined;
  /** Filter, when the pod and the one node decide. */
  filter?(pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /** PostFilter: what can be done for a pod that fits nowhere. No other pod is scheduled before a promise is kept. */
  postFilter?(pod: PodInfo, context: PostFilterContext): PostFilterResult | Promise<PostFilterResult> | undefined;
  /** PreScore: undefined means there is nothing to score. */
  preScore?(pod: PodInfo, cluster: ClusterState): ClusterScorer | undefined;
  /** Score, when the pod and the one node decide. */
  readonly scoring?: Scoring;
  /** Weight of the scores. Default 1. */
  readonly weight?: number;
  /** Reserve: the pod is about to go to the node. A Rejection stops it; all plug-ins' `unreserve` is called then. */
  reserve?(pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /** Undoes `reserve`, also when that was never called for this pod. */
  unreserve?(pod: PodInfo, nodeName: string): void;
  /** Permit: an answer may take its time; the node is kept for the pod meanwhile. */
  permit?(pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Rejection | undefined> | Rejection | undefined;
  /** PreBind: what must be done before the pod is bound; throws when it cannot be. Undefined: nothing to do. */
  preBind?(pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<void> | undefined;
  /** Bind: undefined leaves the pod to the next plug-in that binds. */
  bind?(pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<void> | undefined;
  /** PostBind: told after the pod is bound. */
  postBind?(pod: PodInfo, nodeName: string): void;
}

/** The highest score of one plug-in. */
export const MAX_SCORE = 100;

/** A rejection with one fixed reason, made once. */
export function rejection(reason: string, { isUnresolvable = false } = {}): Rejection {
  return { reasons: [reason], isUnresolvable };
}

export function isRejection(outcome: PreFilterResult | Rejection | undefined): outcome is Rejection {
  return outcome !== undefined && "reasons" in outcome;
}
