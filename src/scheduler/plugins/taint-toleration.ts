// Keeps pods off nodes with taints that they do not tolerate, and prefers nodes with fewer unwelcome taints.
import type { Node, Pod, Taint, Toleration } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import { type Plugin, rejection } from "../framework/plugin.ts";

const UNTOLERATED = rejection("node(s) had untolerated taint(s)", { isUnresolvable: true });

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
  if (!/^-?\d+$/.test(wanted) || !/^-?\d+$/.test(actual)) return false;
  return toleration.operator === "Lt" ? BigInt(actual) < BigInt(wanted) : BigInt(actual) > BigInt(wanted);
}

function isTolerated(tolerations: readonly DeepReadonly<Toleration>[], taint: TaintLike): boolean {
  return tolerations.some((toleration) => toleratesTaint(toleration, taint));
}

/** Whether no taint keeps the pod off the node. */
export function toleratesNode(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  const taints = node.spec?.taints;
  if (taints === undefined || taints.length === 0) return true;
  const tolerations = pod.spec?.tolerations ?? [];
  return taints.every((taint) => (taint.effect !== "NoSchedule" && taint.effect !== "NoExecute") || isTolerated(tolerations, taint));
}

export const taintToleration: Plugin = {
  name: "TaintToleration",
  weight: 3,
  wakesOn: [
    ...wakesOn("PodUpdate"),
    wakesIf<Node>("NodeAdd", ({ pod }, change) => change.new === undefined || toleratesNode(pod, change.new)),
    wakesIf<Node>("NodeUpdateTaint", ({ pod }, change) => change.new === undefined || toleratesNode(pod, change.new)),
  ],
  reads: ({ pod }) => pod.spec?.tolerations,
  filter: ({ pod }, { node }) => (toleratesNode(pod, node) ? undefined : UNTOLERATED),
  scoring: {
    normalization: "reverseMax",
    score: ({ pod }, { node }) => {
      const taints = node.spec?.taints;
      if (taints === undefined) return 0;
      const tolerations = (pod.spec?.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule");
      return taints.filter((taint) => taint.effect === "PreferNoSchedule" && !isTolerated(tolerations, taint)).length;
    },
  },
};
