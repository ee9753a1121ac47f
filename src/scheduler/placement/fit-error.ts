// Tells a person why no node takes a pod, in upstream's words.
import type { Failure } from "./placer.ts";

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).`, and behind it what PostFilter said.
 * @see upstream `framework.FitError`
 */
export function fitErrorMessage(nodeCount: number, { rejections, refused }: Failure, postFilterMessage = ""): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const reasons = refused === undefined ? reasonCounts(rejections.map(({ rejection }) => rejection.reasons)) : refused.rejection.reasons;
  const because = reasons.length === 0 ? "" : ` ${reasons.join(", ")}.`;
  return `0/${nodeCount} nodes are available:${because}${postFilterMessage === "" ? "" : ` ${postFilterMessage}`}`;
}

/** `2 Insufficient cpu`: each reason with the number of nodes that have it, in the order of the texts. */
export function reasonCounts(lists: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const reasons of lists) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
}
