import { toleratesTaint } from "../../api/index.ts";
import { rejection, type ScheduledPlugin } from "../framework.ts";

const UNSCHEDULABLE = rejection("node(s) were unschedulable", { isUnresolvable: true });
const TAINT = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Keeps pods off cordoned nodes, unless they tolerate that. */
export const nodeUnschedulable: ScheduledPlugin = {
  name: "NodeUnschedulable",
  wakesOn: ["NodeAdded", "NodeTaintsChanged"],
  filter: (pod, { node }) => {
    if (node.spec?.unschedulable !== true) return undefined;
    return (pod.pod.spec?.tolerations ?? []).some((toleration) => toleratesTaint(toleration, TAINT)) ? undefined : UNSCHEDULABLE;
  },
};
