// How long a pod tolerates the NoExecute taints of its node.
import type { Node, Pod, Taint, Toleration } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export function noExecuteTaints(node: DeepReadonly<Node> | undefined): readonly DeepReadonly<Taint>[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** How long the pod may stay, from when it met the taints; 0: not at all, Infinity: for ever. */
export function tolerationMs({ spec }: DeepReadonly<Pod>, taints: readonly DeepReadonly<Taint>[]): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const toleration = spec?.tolerations?.find((candidate) => tolerates(candidate, taint));
    if (toleration === undefined) return 0;
    if (toleration.tolerationSeconds !== undefined) leastMs = Math.min(leastMs, Math.max(0, toleration.tolerationSeconds) * 1000);
  }
  return leastMs;
}

function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return (toleration.value ?? "") === (taint.value ?? "");
}
