// Which pods of a node would have to go for a more important one.
import type { PodDisruptionBudget } from "../../api/types/policy/v1.ts";
import { type DeepReadonly, labelSelectorMatcher } from "../../machinery/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { Rejection } from "../framework/plugin.ts";
import type { PreemptionCandidate } from "../profile/extender.ts";

type Budget = DeepReadonly<PodDisruptionBudget>;

/** A node where the pod would fit, and what that takes; the most important victims come first. */
export type Candidate = PreemptionCandidate;

export interface VictimSearch {
  readonly cluster: ClusterState;
  readonly budgets: readonly Budget[];
  /** When the pod was started, in milliseconds since 1970. */
  startedAtMs(pod: PodInfo): number;
  /** Why `pod` does not fit on the node as the cluster is at the call. */
  rejectionOn(node: NodeInfo): Rejection | undefined;
}

/** Negative when `a` is more important: of higher priority, or started earlier. */
export function byImportance(startedAtMs: VictimSearch["startedAtMs"]): (a: PodInfo, b: PodInfo) => number {
  return (a, b) => b.priority - a.priority || startedAtMs(a) - startedAtMs(b);
}

/**
 * Takes all pods of lower priority off the node, and puts back what may stay, the most important first, those with a
 * disruption budget before the others. Answers the reason when the pod would not fit even so.
 * @see upstream `DefaultPreemption.SelectVictimsOnNode`
 */
export function selectVictims(pod: PodInfo, node: NodeInfo, search: VictimSearch): Candidate | Rejection {
  const { cluster, budgets, startedAtMs, rejectionOn } = search;
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority).sort(byImportance(startedAtMs));
  if (lower.length === 0) return { reasons: ["No preemption victims found for incoming pod"], isUnresolvable: true };
  return cluster.tryOn(node, () => {
    const gone = new Set(lower);
    const putBack = (other: PodInfo) => {
      cluster.setPod(other, node.name);
      gone.delete(other);
    };
    for (const other of lower) cluster.removePod(other.uid);
    const rejection = rejectionOn(node);
    if (rejection !== undefined) {
      for (const other of lower) putBack(other);
      return rejection;
    }
    const { violating, others } = splitByBudgets(lower, budgets);
    for (const other of [...violating, ...others]) {
      putBack(other);
      if (rejectionOn(node) === undefined) continue;
      cluster.removePod(other.uid);
      gone.add(other);
    }
    const victims = lower.filter((other) => gone.has(other));
    for (const other of victims) putBack(other);
    return { node, victims, violations: violating.filter((other) => victims.includes(other)).length };
  });
}

/** Pods whose eviction, in this order, a budget does not allow; the others. */
export function splitByBudgets(pods: readonly PodInfo[], budgets: readonly Budget[]): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map((budget) => ({
    budget,
    matcher: labelSelectorMatcher(budget.spec?.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let isViolating = false;
    for (const each of left) {
      const { budget, matcher } = each;
      const isAbout = budget.metadata.namespace === pod.namespace && !matcher.isEverything && matcher.matches(pod.labels);
      // What is about to be evicted already has been counted.
      if (!isAbout || budget.status?.disruptedPods?.[pod.pod.metadata.name ?? ""] !== undefined) continue;
      each.allowed--;
      if (each.allowed < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(pod);
  }
  return { violating, others };
}
