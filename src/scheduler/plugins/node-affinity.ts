// Node selectors and node affinity, required and preferred.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { rejection, type ScheduledPlugin } from "../framework.ts";

const NO_MATCH = rejection("node(s) didn't match Pod's node affinity/selector", { isUnresolvable: true });

/** Terms are alternatives, the requirements of a term all count; a term without any matches nothing. */
export function matchesTerm(node: DeepReadonly<Node>, term: DeepReadonly<NodeSelectorTerm>): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => matchesRequirement(requirement, node.metadata.labels?.[requirement.key])) &&
    fields.every((requirement) => matchesRequirement(requirement, requirement.key === "metadata.name" ? node.metadata.name : undefined))
  );
}

function matchesRequirement({ operator, values = [] }: DeepReadonly<NodeSelectorRequirement>, actual: string | undefined): boolean {
  switch (operator) {
    case "In":
      return actual !== undefined && values.includes(actual);
    case "NotIn":
      return actual === undefined || !values.includes(actual);
    case "Exists":
      return actual !== undefined;
    case "DoesNotExist":
      return actual === undefined;
    case "Gt":
      return isWhole(actual) && isWhole(values[0]) && BigInt(actual) > BigInt(values[0]);
    case "Lt":
      return isWhole(actual) && isWhole(values[0]) && BigInt(actual) < BigInt(values[0]);
    default:
      return false;
  }
}

function isWhole(text: string | undefined): text is string {
  return text !== undefined && /^-?\d+$/.test(text);
}

export const nodeAffinity: ScheduledPlugin = {
  name: "NodeAffinity",
  wakesOn: ["NodeAdded", "NodeLabelsChanged"],
  filter: ({ pod }, { node }) => {
    for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return NO_MATCH;
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined) return undefined;
    return required.nodeSelectorTerms.some((term) => matchesTerm(node, term)) ? undefined : NO_MATCH;
  },
  scoring: {
    weight: 2,
    normalization: "max",
    applies: ({ pod }) => (pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length > 0,
    score: ({ pod }, { node }) => {
      let score = 0;
      for (const { weight, preference } of pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
        if (weight !== 0 && matchesTerm(node, preference)) score += weight;
      }
      return score;
    },
  },
};
