// Node selectors and node affinity, required and preferred; those of the pod, and those that the profile adds to all pods.
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity } from "../../api/index.ts";
import type { Node, NodeAffinity } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import { type Plugin, type PreFilterResult, type Rejection, rejection } from "../framework/plugin.ts";
import { matchesAnyTerm, namedNodes } from "./node-selector.ts";

const NO_MATCH = rejection("node(s) didn't match Pod's node affinity/selector", { isUnresolvable: true });
const NO_ENFORCED_MATCH = rejection("node(s) didn't match scheduler-enforced node affinity", { isUnresolvable: true });
const CONFLICT = rejection("pod affinity terms conflict", { isUnresolvable: true });

export interface NodeAffinityArgs {
  readonly addedAffinity?: DeepReadonly<NodeAffinity>;
}

export function nodeAffinity({ addedAffinity }: NodeAffinityArgs = {}): Plugin {
  const enforced = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const addedPreferences = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferences = ({ pod }: PodInfo) => [
    ...addedPreferences,
    ...(pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  const rejectionOn = (pod: PodInfo, node: DeepReadonly<Node>): Rejection | undefined => {
    if (enforced !== undefined && !matchesAnyTerm(node, enforced)) return NO_ENFORCED_MATCH;
    return matchesRequiredNodeAffinity(pod.pod, node) ? undefined : NO_MATCH;
  };
  return {
    name: "NodeAffinity",
    weight: 2,
    wakesOn: [
      ...wakesOn("PodUpdate"),
      wakesIf<Node>("NodeAdd", (pod, change) => change.new === undefined || rejectionOn(pod, change.new) === undefined),
      wakesIf<Node>("NodeUpdateLabel", (pod, change) => change.new === undefined || rejectionOn(pod, change.new) === undefined),
    ],
    reads: ({ pod }) => [pod.spec?.nodeSelector, pod.spec?.affinity?.nodeAffinity],
    preFilter: narrow,
    filter: (pod, { node }) => rejectionOn(pod, node),
    scoring: {
      normalization: "max",
      applies: (pod) => preferences(pod).length > 0,
      score: (pod, { node }) => {
        let score = 0;
        for (const { weight, preference } of preferences(pod))
          if (weight !== 0 && matchesNodeSelectorTerm(node, preference)) score += weight;
        return score;
      },
    },
  };
}

/** DaemonSets' pods name their node: no other is looked at. */
function narrow({ pod }: PodInfo): PreFilterResult | Rejection | undefined {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodeNames = required === undefined ? undefined : namedNodes(required.nodeSelectorTerms);
  if (nodeNames === undefined) return undefined;
  return nodeNames.size === 0 ? CONFLICT : { nodeNames };
}
