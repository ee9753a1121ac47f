import { rejection, type ScheduledPlugin } from "../framework.ts";
import type { HostPort } from "../pod-info.ts";

const TAKEN = rejection("node(s) didn't have free ports for the requested pod ports");
const ANY_ADDRESS = "0.0.0.0";

/** Two host ports clash on the same protocol and number when either is for all addresses or both for the same one. */
export function clashes(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY_ADDRESS || b.ip === ANY_ADDRESS);
}

/** Only nodes where the pod's host ports are free. */
export const nodePorts: ScheduledPlugin = {
  name: "NodePorts",
  wakesOn: ["NodeAdded", "AssignedPodDeleted"],
  filter: (pod, node) => {
    if (pod.hostPorts.length === 0) return undefined;
    for (const other of node.pods.values()) {
      if (other.hostPorts.some((taken) => pod.hostPorts.some((wanted) => clashes(wanted, taken)))) return TAKEN;
    }
    return undefined;
  },
};
