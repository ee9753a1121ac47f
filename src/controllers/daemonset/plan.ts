// Which nodes run a DaemonSet's pod, and what is missing or too much there.
import { isPodAvailable, matchesRequiredNodeAffinity, podReady, toleratesTaints } from "../../api/index.ts";
import type { DaemonSet } from "../../api/types/apps/v1.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, scaledValue } from "../../machinery/index.ts";
import { REVISION_HASH_LABEL } from "../controller-revisions.ts";
import { daemonTolerations, TEMPLATE_GENERATION_ANNOTATION, TEMPLATE_GENERATION_LABEL, targetNodeOf } from "./daemon-pod.ts";

type ReadonlyPod = DeepReadonly<Pod>;

export interface DaemonSnapshot {
  readonly set: DeepReadonly<DaemonSet>;
  readonly nodes: readonly DeepReadonly<Node>[];
  /** All pods of the set. */
  readonly pods: readonly ReadonlyPod[];
  /** Of the set's current revision. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Names of nodes that lack a pod. */
  readonly create: readonly string[];
  readonly delete: readonly ReadonlyPod[];
  /** Pods that failed or ended, each with its node: deleting them waits for a back-off. */
  readonly ended: readonly { readonly pod: ReadonlyPod; readonly nodeName: string }[];
}

export interface Eligibility {
  readonly shouldRun: boolean;
  /** A pod that is there already may stay. */
  readonly shouldContinue: boolean;
}

/** @see kubernetes `pkg/controller/daemon/daemon_controller.go`, NodeShouldRunDaemonPod */
export function eligibility({ spec }: DeepReadonly<DaemonSet>, node: DeepReadonly<Node>): Eligibility {
  const podSpec = spec?.template.spec;
  const none = { shouldRun: false, shouldContinue: false };
  if (podSpec === undefined) return none;
  if (podSpec.nodeName && podSpec.nodeName !== node.metadata.name) return none;
  if (!matchesRequiredNodeAffinity({ metadata: {}, spec: podSpec }, node)) return none;
  const tolerations = daemonTolerations(podSpec.tolerations, podSpec.hostNetwork === true);
  const taints = node.spec?.taints;
  if (toleratesTaints(tolerations, taints, ["NoSchedule", "NoExecute"])) return { shouldRun: true, shouldContinue: true };
  return { shouldRun: false, shouldContinue: toleratesTaints(tolerations, taints, ["NoExecute"]) };
}

/** The set's pods by the node that they are on or meant for. */
export function podsByNode(pods: readonly ReadonlyPod[]): Map<string, ReadonlyPod[]> {
  const byNode = new Map<string, ReadonlyPod[]>();
  for (const pod of pods) {
    const name = targetNodeOf(pod);
    if (name === undefined) continue;
    const present = byNode.get(name);
    if (present === undefined) byNode.set(name, [pod]);
    else present.push(pod);
  }
  return byNode;
}

/** Brings each node to one pod, or none. */
export function planDaemons(snapshot: DaemonSnapshot): DaemonPlan {
  const { set, nodes, pods } = snapshot;
  const byNode = podsByNode(pods);
  const plan = { create: [] as string[], delete: [] as ReadonlyPod[], ended: [] as { pod: ReadonlyPod; nodeName: string }[] };
  const known = new Set<string>();
  for (const node of nodes) {
    const nodeName = node.metadata.name ?? "";
    known.add(nodeName);
    const present = byNode.get(nodeName) ?? [];
    const { shouldRun, shouldContinue } = eligibility(set, node);
    if (shouldRun && present.length === 0) plan.create.push(nodeName);
    else if (shouldContinue) tidyNode(snapshot, nodeName, present, plan);
    else plan.delete.push(...present.filter(isStaying));
  }
  // The scheduler will never place a pod that is meant for a node which is gone.
  for (const [nodeName, present] of byNode)
    if (!known.has(nodeName)) plan.delete.push(...present.filter((pod) => !pod.spec?.nodeName && isStaying(pod)));
  return plan;
}

function tidyNode(
  snapshot: DaemonSnapshot,
  nodeName: string,
  present: readonly ReadonlyPod[],
  plan: { readonly delete: ReadonlyPod[]; readonly ended: { pod: ReadonlyPod; nodeName: string }[] },
): void {
  const running: ReadonlyPod[] = [];
  for (const pod of present) {
    if (!isStaying(pod)) continue;
    if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") plan.ended.push({ pod, nodeName });
    else running.push(pod);
  }
  plan.delete.push(...surplus(snapshot, running.sort(oldestFirst)));
}

/** Of several pods on a node the oldest stays; while surging, the oldest of each revision until the new one is available. */
function surplus({ set, hash, nowMs }: DaemonSnapshot, running: readonly ReadonlyPod[]): readonly ReadonlyPod[] {
  if (!surges(set)) return running.slice(1);
  const newest = running.find((pod) => isUpdated(set, pod, hash));
  const oldest = running.find((pod) => !isUpdated(set, pod, hash));
  const others = running.filter((pod) => pod !== newest && pod !== oldest);
  if (newest === undefined || oldest === undefined) return others;
  const isReplaced = !podReady(oldest) || isPodAvailable(newest, set.spec?.minReadySeconds ?? 0, nowMs);
  return isReplaced ? [...others, oldest] : others;
}

export function isStaying(pod: ReadonlyPod): boolean {
  return pod.metadata.deletionTimestamp === undefined;
}

/** Whether the pod was made from the set's current template. */
export function isUpdated(set: DeepReadonly<DaemonSet>, { metadata }: ReadonlyPod, hash: string): boolean {
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION];
  const isOfGeneration = generation !== undefined && metadata.labels?.[TEMPLATE_GENERATION_LABEL] === generation;
  return isOfGeneration || metadata.labels?.[REVISION_HASH_LABEL] === hash;
}

/** Pods on a node come before those that are only meant for it, then the older. */
export function oldestFirst(a: ReadonlyPod, b: ReadonlyPod): number {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  if (placed !== 0) return placed;
  const age = Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "");
  return age || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);
}

export interface UpdateLimits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** How far the update may go beyond or below one pod a node, for so many nodes; percentages are rounded up. */
export function updateLimits({ spec }: DeepReadonly<DaemonSet>, desired: number): UpdateLimits {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate") return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledValue(rollingUpdate?.maxSurge ?? 0, desired, { roundUp: true });
  const maxUnavailable = scaledValue(rollingUpdate?.maxUnavailable ?? 1, desired, { roundUp: true });
  // With neither, nothing could ever be updated.
  return { maxSurge, maxUnavailable: desired > 0 && maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

function surges(set: DeepReadonly<DaemonSet>): boolean {
  return updateLimits(set, 1).maxSurge > 0;
}
