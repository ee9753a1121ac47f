// What of a node selector names nodes.
import { matchesNodeSelectorTerm } from "../../api/index.ts";
import type { Node, NodeSelectorTerm } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type Terms = readonly DeepReadonly<NodeSelectorTerm>[];

export function matchesAnyTerm(node: DeepReadonly<Node>, terms: Terms): boolean {
  return terms.some((term) => matchesNodeSelectorTerm(node, term));
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
