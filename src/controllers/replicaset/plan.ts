// What a ReplicaSet needs, decided from its pods: how many to make, which to delete, and its status.
import { isPodAvailable, isPodTerminal, podReady, podReadySinceMs } from "../../api/index.ts";
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { withoutZeros } from "../counts.ts";
import { PodTally } from "./pod-tally.ts";

export interface ReplicaSetPlan {
  readonly create: number;
  readonly delete: readonly DeepReadonly<Pod>[];
}

/** Pods made or deleted in one go; the rest follows in the next. */
export const BURST_REPLICAS = 500;

const DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";

/** Pods that count: neither finished nor on their way out. */
export function activePods(pods: readonly DeepReadonly<Pod>[]): DeepReadonly<Pod>[] {
  return pods.filter((pod) => !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
}

/** Pods that are on their way out and have not ended. */
export function terminatingPods(pods: readonly DeepReadonly<Pod>[]): DeepReadonly<Pod>[] {
  return pods.filter((pod) => !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined);
}

export interface ActivePods {
  readonly count: number;
  /** All of them. */
  list(): readonly DeepReadonly<Pod>[];
}

/** `active`: the set's pods that count. */
export function planReplicas(set: DeepReadonly<ReplicaSet>, active: ActivePods, nowMs: number): ReplicaSetPlan {
  const missing = (set.spec?.replicas ?? 1) - active.count;
  if (missing >= 0) return { create: Math.min(missing, BURST_REPLICAS), delete: [] };
  return { create: 0, delete: leastMissed(active.list(), Math.min(-missing, BURST_REPLICAS), nowMs) };
}

/**
 * The `count` pods that are missed least.
 * @see kubernetes `pkg/controller/controller_utils.go`, ActivePodsWithRanks
 */
export function leastMissed(pods: readonly DeepReadonly<Pod>[], count: number, nowMs: number): DeepReadonly<Pod>[] {
  if (count >= pods.length) return [...pods];
  const podsPerNode = new Map<string, number>();
  for (const pod of pods) podsPerNode.set(pod.spec?.nodeName ?? "", (podsPerNode.get(pod.spec?.nodeName ?? "") ?? 0) + 1);
  const ranked = pods.map((pod) => ({ pod, ranks: ranks(pod, podsPerNode, nowMs) }));
  ranked.sort((a, b) => compareRanks(a.ranks, b.ranks));
  return ranked.slice(0, count).map(({ pod }) => pod);
}

/** Numbers to compare one after the other; the lower one goes first. */
function ranks(pod: DeepReadonly<Pod>, podsPerNode: ReadonlyMap<string, number>, nowMs: number): number[] {
  const phases: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };
  const isReady = podReady(pod);
  const readySinceMs = podReadySinceMs(pod);
  const restarts = Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
  return [
    pod.spec?.nodeName ? 1 : 0,
    phases[pod.status?.phase ?? "Pending"] ?? 0,
    isReady ? 1 : 0,
    Number(pod.metadata.annotations?.[DELETION_COST_ANNOTATION] ?? "0") || 0,
    -(podsPerNode.get(pod.spec?.nodeName ?? "") ?? 0),
    isReady ? ageBucket(nowMs - (readySinceMs ?? nowMs)) : 0,
    -restarts,
    ageBucket(nowMs - Date.parse(pod.metadata.creationTimestamp ?? formatTime(nowMs))),
  ];
}

/** Ages on a logarithmic scale, so that pods of about the same age are equal and chance decides. */
function ageBucket(ageMs: number): number {
  return ageMs < 1 ? 0 : Math.floor(Math.log2(ageMs));
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How many pods a set has in which state. */
export interface PodCounts {
  readonly active: number;
  /** On their way out. */
  readonly terminating: number;
  /** Of the active ones: with all labels of the template. */
  readonly fullyLabeled: number;
  readonly ready: number;
  /** Ready for minReadySeconds. */
  readonly available: number;
}

export function countPods(set: DeepReadonly<ReplicaSet>, pods: readonly DeepReadonly<Pod>[], nowMs: number): PodCounts {
  const tally = new PodTally(set, pods);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  if (minReadySeconds === 0) return tally.counts;
  return { ...tally.counts, available: activePods(pods).filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length };
}

export interface StatusInput {
  readonly set: DeepReadonly<ReplicaSet>;
  readonly counts: PodCounts;
  readonly nowMs: number;
  /** What kept pods from being made or deleted. */
  readonly failure?: { readonly reason: "FailedCreate" | "FailedDelete"; readonly message: string } | undefined;
}

export function replicaSetStatus({ set, counts, nowMs, failure }: StatusInput): ReplicaSetStatus {
  const conditions = statusConditions(set, nowMs, failure);
  return {
    replicas: counts.active,
    terminatingReplicas: counts.terminating,
    ...withoutZeros({
      fullyLabeledReplicas: counts.fullyLabeled,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      observedGeneration: set.metadata.generation,
    }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** How long until the next ready pod has been ready for minReadySeconds: no event will say so. */
export function nextAvailableMs(pods: readonly DeepReadonly<Pod>[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const waiting = pods.filter((pod) => podReady(pod) && !isPodAvailable(pod, minReadySeconds, nowMs));
  const dueMs = waiting.map((pod) => (podReadySinceMs(pod) ?? nowMs) + minReadySeconds * 1000 - nowMs);
  return dueMs.length === 0 ? undefined : Math.max(0, Math.min(...dueMs));
}

function statusConditions(set: DeepReadonly<ReplicaSet>, nowMs: number, failure: StatusInput["failure"]): ReplicaSetCondition[] {
  const conditions = set.status?.conditions ?? [];
  if (failure === undefined) return conditions.filter(({ type }) => type !== "ReplicaFailure");
  if (conditions.some(({ type }) => type === "ReplicaFailure")) return [...conditions];
  return [...conditions, { type: "ReplicaFailure", status: "True", lastTransitionTime: formatTime(nowMs), ...failure }];
}
