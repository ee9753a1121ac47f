// Topology spread constraints, ready to count: the pod's own, or the profile's defaults.
import { matchesRequiredNodeAffinity } from "../../../api/index.ts";
import type { Pod, TopologySpreadConstraint } from "../../../api/types/core/v1.ts";
import { type DeepReadonly, type LabelSelectorMatcher, labelSelectorMatcher } from "../../../machinery/index.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";

import { toleratesNode } from "../taint-toleration.ts";

export const HOSTNAME = "kubernetes.io/hostname";

export type WhenUnsatisfiable = "DoNotSchedule" | "ScheduleAnyway";

export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelectorMatcher;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** The pod's own constraints of that kind; of pods from before the server did so, `matchLabelKeys` narrow the selectors down here. */
export function ownConstraints({ pod, labels }: PodInfo, when: WhenUnsatisfiable): Constraint[] {
  return (pod.spec?.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when)
    .map((constraint) => toConstraint(constraint, labelSelectorMatcher(mergedSelector(constraint, labels))));
}

export function toConstraint(constraint: DeepReadonly<TopologySpreadConstraint>, selector: LabelSelectorMatcher): Constraint {
  const { topologyKey, maxSkew, minDomains = 1, nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore" } = constraint;
  const honorsAffinity = nodeAffinityPolicy === "Honor";
  return { topologyKey, maxSkew, minDomains, selector, honorsAffinity, honorsTaints: nodeTaintsPolicy === "Honor" };
}

function mergedSelector({ labelSelector, matchLabelKeys = [] }: DeepReadonly<TopologySpreadConstraint>, labels: PodInfo["labels"]) {
  const matchExpressions = matchLabelKeys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator: "In", values: [value] }];
  });
  if (matchExpressions.length === 0) return labelSelector;
  return { ...labelSelector, matchExpressions: [...(labelSelector?.matchExpressions ?? []), ...matchExpressions] };
}

export interface CountOptions {
  /** Nodes must have all these labels to count. */
  readonly requiredKeys: readonly string[];
  /** Whether each node is a domain of its own. */
  readonly byNode?: boolean;
}

/** Counts what the constraint speaks of, on the nodes that count for `pod`. An empty selector counts nothing, as upstream. */
export function constraintCounter(cluster: ClusterState, info: PodInfo, constraint: Constraint, options: CountOptions): PodCounter {
  const { pod, namespace } = info;
  const { selector, topologyKey, honorsAffinity, honorsTaints } = constraint;
  const { requiredKeys, byNode = false } = options;
  const eligibility = [requiredKeys, honorsAffinity && affinityOf(pod), honorsTaints && pod.spec?.tolerations];
  return cluster.counter({
    key: `spread ${JSON.stringify([namespace, selector.toString(), selector.isNothing, byNode || topologyKey, eligibility])}`,
    topologyKey: byNode ? undefined : topologyKey,
    matches: (group) => !group.isTerminating && group.namespace === namespace && !selector.isEverything && selector.matches(group.labels),
    isEligible: ({ node }) =>
      requiredKeys.every((key) => node.metadata.labels?.[key] !== undefined) &&
      (!honorsAffinity || matchesRequiredNodeAffinity(pod, node)) &&
      (!honorsTaints || toleratesNode(pod, node)),
  });
}

function affinityOf(pod: DeepReadonly<Pod>): readonly unknown[] {
  return [pod.spec?.nodeSelector, pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution];
}

/** Equal for pods that this plug-in treats alike. */
export function spreadKey({ groupKey, pod }: PodInfo): string {
  return `${groupKey} ${JSON.stringify([pod.spec?.topologySpreadConstraints, affinityOf(pod), pod.spec?.tolerations])}`;
}
