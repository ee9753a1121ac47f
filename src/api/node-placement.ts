// Whether a node is one that a pod asks for: node selectors and affinity, taints and tolerations.
import type { DeepReadonly } from "../machinery/index.ts";
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from "./types/core/v1.ts";

/** Terms are alternatives, the requirements of a term all count; a term without any matches nothing. */
export function matchesNodeSelectorTerm(node: DeepReadonly<Node>, term: DeepReadonly<NodeSelectorTerm>): boolean {
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

/** Whether the node has what the pod's nodeSelector and required node affinity demand. */
export function matchesRequiredNodeAffinity({ spec }: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(node, term));
}

type TaintLike = Pick<DeepReadonly<Taint>, "key" | "value" | "effect">;

/** @see upstream `Toleration.ToleratesTaint`: an empty key or effect of the toleration matches all. */
export function toleratesTaint(toleration: DeepReadonly<Toleration>, taint: TaintLike): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || "Equal") {
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "") && Boolean(toleration.key);
    case "Exists":
      return true;
    case "Lt":
    case "Gt":
      return compares(toleration, taint);
    default:
      return false;
  }
}

/** The taint's value, a whole number, is below (Lt) or above (Gt) the toleration's. */
function compares(toleration: DeepReadonly<Toleration>, taint: TaintLike): boolean {
  const wanted = toleration.value ?? "";
  const actual = taint.value ?? "";
  if (!isWhole(wanted) || !isWhole(actual)) return false;
  return toleration.operator === "Lt" ? BigInt(actual) < BigInt(wanted) : BigInt(actual) > BigInt(wanted);
}

/** Whether every taint of the given effects is tolerated. */
export function toleratesTaints(
  tolerations: readonly DeepReadonly<Toleration>[] = [],
  taints: readonly DeepReadonly<Taint>[] = [],
  effects: readonly string[],
): boolean {
  return taints.every((taint) => !effects.includes(taint.effect) || tolerations.some((toleration) => toleratesTaint(toleration, taint)));
}
