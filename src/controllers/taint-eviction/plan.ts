// How long a pod tolerates the NoExecute taints of its node.
import { toleratesTaint } from "../../api/index.ts";
import type { Node, Pod, Taint } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export function noExecuteTaints(node: DeepReadonly<Node> | undefined): readonly DeepReadonly<Taint>[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** How long the pod may stay, from when it met the taints; 0: not at all, Infinity: for ever. */
export function tolerationMs({ spec }: DeepReadonly<Pod>, taints: readonly DeepReadonly<Taint>[]): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const toleration = spec?.tolerations?.find((candidate) => toleratesTaint(candidate, taint));
    if (toleration === undefined) return 0;
    if (toleration.tolerationSeconds !== undefined) leastMs = Math.min(leastMs, Math.max(0, toleration.tolerationSeconds) * 1000);
  }
  return leastMs;
}
