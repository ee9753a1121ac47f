// Node selectors and node affinity, required and preferred.
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity } from "../../api/index.ts";
import { rejection, type ScheduledPlugin } from "../framework.ts";

const NO_MATCH = rejection("node(s) didn't match Pod's node affinity/selector", { isUnresolvable: true });

export const nodeAffinity: ScheduledPlugin = {
  name: "NodeAffinity",
  wakesOn: ["NodeAdded", "NodeLabelsChanged"],
  filter: ({ pod }, { node }) => (matchesRequiredNodeAffinity(pod, node) ? undefined : NO_MATCH),
  scoring: {
    weight: 2,
    normalization: "max",
    applies: ({ pod }) => (pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length > 0,
    score: ({ pod }, { node }) => {
      let score = 0;
      for (const { weight, preference } of pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
        if (weight !== 0 && matchesNodeSelectorTerm(node, preference)) score += weight;
      }
      return score;
    },
  },
};
