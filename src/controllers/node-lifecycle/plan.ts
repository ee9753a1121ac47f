// What a node's silence and its conditions mean: which conditions become unknown, which taints it gets.
import { getCondition } from "../../api/index.ts";
import type { Node, NodeCondition, Taint } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type NodeState = DeepReadonly<Node>;

/** Upstream's --node-monitor-grace-period and --node-startup-grace-period. */
export const MONITOR_GRACE_MS = 50_000;
export const STARTUP_GRACE_MS = 60_000;

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
/** Conditions that only the kubelet knows. */
const KUBELET_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
const PRESSURE_TAINTS: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
const CONDITION_TAINTS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE_TAINTS)]);

/** `True`, `False`, or `Unknown` when the kubelet is silent; undefined when it never spoke. */
export function readyStatus({ status }: NodeState): string | undefined {
  return getCondition(status?.conditions, "Ready")?.status;
}

/** The conditions of a node that has been silent for too long; undefined when they say so already. */
export function silentConditions({ metadata, status }: NodeState, now: string): NodeCondition[] | undefined {
  const conditions: NodeCondition[] = [...(status?.conditions ?? [])];
  let isChanged = false;
  for (const type of KUBELET_CONDITIONS) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const known = conditions[index];
    if (known?.status === "Unknown") continue;
    isChanged = true;
    if (known === undefined) {
      const never = { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." };
      conditions.push({ type, status: "Unknown", lastHeartbeatTime: metadata.creationTimestamp, lastTransitionTime: now, ...never });
    } else {
      const stopped = { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
      conditions[index] = { ...known, status: "Unknown", lastTransitionTime: now, ...stopped };
    }
  }
  return isChanged ? conditions : undefined;
}

/** The key of the NoExecute taint that the node's readiness asks for. */
export function noExecuteTaintKey(node: NodeState): string | undefined {
  const status = readyStatus(node);
  return status === "False" ? NOT_READY : status === "Unknown" ? UNREACHABLE : undefined;
}

/** Whether the node has the NoExecute taint that its readiness asks for. */
export function hasNoExecuteTaint({ spec }: NodeState, key: string): boolean {
  return spec?.taints?.some((taint) => taint.effect === "NoExecute" && taint.key === key) === true;
}

/** The node's taints as they should be; undefined when they are. `evicts`: whether a missing NoExecute taint may come. */
export function wantedTaints(
  node: NodeState,
  options: { readonly evicts: boolean; readonly now: string },
): DeepReadonly<Taint>[] | undefined {
  const present = node.spec?.taints ?? [];
  const wanted = new Set(noScheduleKeys(node).map((key) => `${key}:NoSchedule`));
  const executeKey = noExecuteTaintKey(node);
  if (executeKey !== undefined && options.evicts) wanted.add(`${executeKey}:NoExecute`);
  const kept = present.filter((taint) => !isOurs(taint) || wanted.has(`${taint.key}:${taint.effect}`));
  for (const { key, effect } of kept) wanted.delete(`${key}:${effect}`);
  if (wanted.size === 0 && kept.length === present.length) return undefined;
  const added = [...wanted].map((id) => {
    const [key = "", effect = ""] = id.split(":");
    return { key, effect, timeAdded: options.now };
  });
  return [...kept, ...added];
}

function isOurs({ key, effect }: DeepReadonly<Taint>): boolean {
  if (effect === "NoSchedule") return CONDITION_TAINTS.has(key);
  return effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE);
}

function noScheduleKeys(node: NodeState): string[] {
  const keys: string[] = [];
  const readiness = noExecuteTaintKey(node);
  // A node that never spoke keeps the taint that admission gave it.
  if (readiness !== undefined) keys.push(readiness);
  else if (readyStatus(node) === undefined)
    keys.push(...(node.spec?.taints ?? []).filter(({ key }) => key === NOT_READY).map(({ key }) => key));
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = PRESSURE_TAINTS[type];
    if (key !== undefined && status === "True") keys.push(key);
  }
  if (node.spec?.unschedulable === true) keys.push(UNSCHEDULABLE);
  return keys;
}
