import { toleratesTaint } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import { type Plugin, rejection } from "../framework/plugin.ts";

const UNSCHEDULABLE = rejection("node(s) were unschedulable", { isUnresolvable: true });
const TAINT = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Keeps pods off cordoned nodes, unless they tolerate that. */
export const nodeUnschedulable: Plugin = {
  name: "NodeUnschedulable",
  wakesOn: [
    ...wakesOn("PodUpdate"),
    wakesIf<Node>("NodeAdd", (_, change) => change.new?.spec?.unschedulable !== true),
    wakesIf<Node>("NodeUpdateTaint", (_, change) => change.new?.spec?.unschedulable !== true),
  ],
  reads: ({ pod }) => pod.spec?.tolerations,
  filter: ({ pod }, { node }) => {
    if (node.spec?.unschedulable !== true) return undefined;
    return (pod.spec?.tolerations ?? []).some((toleration) => toleratesTaint(toleration, TAINT)) ? undefined : UNSCHEDULABLE;
  },
};
