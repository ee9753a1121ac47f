import type { Pod } from "../../api/types/core/v1.ts";
import { type HostPort, podInfo } from "../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import { type Plugin, rejection } from "../framework/plugin.ts";

const TAKEN = rejection("node(s) didn't have free ports for the requested pod ports");
const ANY_ADDRESS = "0.0.0.0";

/** Two host ports clash on the same protocol and number when either is for all addresses or both for the same one. */
export function clashes(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY_ADDRESS || b.ip === ANY_ADDRESS);
}

function clash(some: readonly HostPort[], others: readonly HostPort[]): boolean {
  return some.some((port) => others.some((other) => clashes(port, other)));
}

/** Only nodes where the pod's host ports are free. */
export const nodePorts: Plugin = {
  name: "NodePorts",
  wakesOn: [
    ...wakesOn("NodeAdd"),
    wakesIf<Pod>("AssignedPodDelete", (pod, { old }) => old === undefined || clash(pod.hostPorts, podInfo(old).hostPorts)),
  ],
  reads: ({ hostPorts }) => hostPorts,
  filter: (pod, node) => {
    if (pod.hostPorts.length === 0) return undefined;
    for (const other of node.pods.values()) if (clash(pod.hostPorts, other.hostPorts)) return TAKEN;
    return undefined;
  },
};
