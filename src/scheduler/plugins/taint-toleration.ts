// Keeps pods off nodes with taints that they do not tolerate, and prefers nodes with fewer unwelcome taints.
import { toleratesTaint, toleratesTaints } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import { type Plugin, rejection } from "../framework/plugin.ts";

const UNTOLERATED = rejection("node(s) had untolerated taint(s)", { isUnresolvable: true });

/** Whether no taint keeps the pod off the node. */
export function toleratesNode(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  const taints = node.spec?.taints;
  return taints === undefined || toleratesTaints(pod.spec?.tolerations, taints, ["NoSchedule", "NoExecute"]);
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
      const isTolerated = (taint: (typeof taints)[number]) => tolerations.some((toleration) => toleratesTaint(toleration, taint));
      return taints.filter((taint) => taint.effect === "PreferNoSchedule" && !isTolerated(taint)).length;
    },
  },
};
