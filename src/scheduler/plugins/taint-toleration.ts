// Keeps pods off nodes with taints that they do not tolerate, and prefers nodes with fewer unwelcome taints.
import { toleratesTaint, toleratesTaints } from "../../api/index.ts";
import type { Taint, Toleration } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { rejection, type ScheduledPlugin } from "../framework.ts";

const UNTOLERATED = rejection("node(s) had untolerated taint(s)", { isUnresolvable: true });

function isTolerated(tolerations: readonly DeepReadonly<Toleration>[], taint: DeepReadonly<Taint>): boolean {
  return tolerations.some((toleration) => toleratesTaint(toleration, taint));
}

export const taintToleration: ScheduledPlugin = {
  name: "TaintToleration",
  wakesOn: ["NodeAdded", "NodeTaintsChanged"],
  filter: (pod, { node }) => {
    const isFree = toleratesTaints(pod.pod.spec?.tolerations, node.spec?.taints, ["NoSchedule", "NoExecute"]);
    return isFree ? undefined : UNTOLERATED;
  },
  scoring: {
    weight: 3,
    normalization: "reverseMax",
    score: (pod, { node }) => {
      const taints = node.spec?.taints;
      if (taints === undefined) return 0;
      const tolerations = (pod.pod.spec?.tolerations ?? []).filter(
        (toleration) => !toleration.effect || toleration.effect === "PreferNoSchedule",
      );
      return taints.filter((taint) => taint.effect === "PreferNoSchedule" && !isTolerated(tolerations, taint)).length;
    },
  },
};
