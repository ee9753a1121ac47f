// The next step of a DaemonSet's rolling update: old pods to delete or, when surging, nodes that get a new pod beside the old.
// @see kubernetes `pkg/controller/daemon/update.go`, rollingUpdate
import { isPodAvailable } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type DaemonPlan, type DaemonSnapshot, eligibility, isStaying, isUpdated, podsByNode, updateLimits } from "./plan.ts";

interface NodePods {
  readonly nodeName: string;
  readonly updated: DeepReadonly<Pod> | undefined;
  readonly outdated: DeepReadonly<Pod> | undefined;
  /** More than one of a kind: the node is tidied first. */
  readonly isCrowded: boolean;
}

export function planRollingUpdate(snapshot: DaemonSnapshot): Pick<DaemonPlan, "create" | "delete"> {
  const { set, nodes } = snapshot;
  const byNode = podsByNode(snapshot.pods);
  const wanted = nodes.filter((node) => eligibility(set, node).shouldRun).map(({ metadata }) => metadata.name ?? "");
  const limits = updateLimits(set, wanted.length);
  const names = new Set([...wanted, ...byNode.keys()]);
  const states = [...names].map((nodeName) => splitPods(snapshot, nodeName, byNode.get(nodeName) ?? []));
  return limits.maxSurge === 0 ? replace(snapshot, states, limits.maxUnavailable) : surge(snapshot, states, limits.maxSurge);
}

function splitPods({ set, hash }: DaemonSnapshot, nodeName: string, pods: readonly DeepReadonly<Pod>[]): NodePods {
  const staying = pods.filter(isStaying);
  const updated = staying.filter((pod) => isUpdated(set, pod, hash));
  const outdated = staying.filter((pod) => !isUpdated(set, pod, hash));
  return { nodeName, updated: updated[0], outdated: outdated[0], isCrowded: updated.length > 1 || outdated.length > 1 };
}

/** Old pods go first where they do not work anyway, then as many as may be unavailable at once. */
function replace(snapshot: DaemonSnapshot, states: readonly NodePods[], maxUnavailable: number) {
  let unavailable = 0;
  const broken: DeepReadonly<Pod>[] = [];
  const working: DeepReadonly<Pod>[] = [];
  for (const { updated, outdated, isCrowded } of states) {
    const isBetween = isCrowded || (updated === undefined) === (outdated === undefined);
    if (isBetween || outdated === undefined) {
      if (isBetween || !isAvailable(snapshot, updated)) unavailable++;
    } else if (isAvailable(snapshot, outdated)) working.push(outdated);
    else {
      broken.push(outdated);
      unavailable++;
    }
  }
  return { create: [], delete: [...broken, ...working.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

/** A new pod starts beside the old one, which goes when the new one is available. */
function surge(snapshot: DaemonSnapshot, states: readonly NodePods[], maxSurge: number) {
  let surging = 0;
  const broken: string[] = [];
  const working: string[] = [];
  const outdone: DeepReadonly<Pod>[] = [];
  for (const { nodeName, updated, outdated, isCrowded } of states) {
    if (isCrowded) surging++;
    else if (outdated === undefined) continue;
    else if (updated === undefined) (isAvailable(snapshot, outdated) ? working : broken).push(nodeName);
    else if (isAvailable(snapshot, updated)) outdone.push(outdated);
    else surging++;
  }
  return { create: [...broken, ...working.slice(0, Math.max(0, maxSurge - surging))], delete: outdone };
}

function isAvailable({ set, nowMs }: DaemonSnapshot, pod: DeepReadonly<Pod> | undefined): boolean {
  return pod !== undefined && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
}
