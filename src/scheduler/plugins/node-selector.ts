// Whether a node is what a node selector asks for.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type Terms = readonly DeepReadonly<NodeSelectorTerm>[];

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

export function matchesAnyTerm(node: DeepReadonly<Node>, terms: Terms): boolean {
  return terms.some((term) => matchesTerm(node, term));
}

/** Whether the node has the pod's node selector and required node affinity. */
export function matchesNodeAffinity(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  const { nodeSelector, affinity } = pod.spec ?? {};
  for (const key in nodeSelector) if (node.metadata.labels?.[key] !== nodeSelector[key]) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesAnyTerm(node, required.nodeSelectorTerms);
}

/** The nodes' names, when every term names some; undefined when one does not. */
export function namedNodes(terms: Terms): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const lists = matchFields.filter(({ key, operator }) => key === "metadata.name" && operator === "In").map(({ values = [] }) => values);
    const [first, ...others] = lists;
    if (first === undefined) return undefined;
    for (const name of first) if (others.every((list) => list.includes(name))) names.add(name);
  }
  return terms.length === 0 ? undefined : names;
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
