// Tells a person why no node takes a pod, in upstream's words.
import type { NodeRejection } from "./scheduling-class.ts";

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function fitErrorMessage(nodeCount: number, rejections: readonly NodeRejection[]): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const { rejection } of rejections) for (const reason of rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${reasons.join(", ")}.`;
}
