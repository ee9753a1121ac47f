// The next steps of a StatefulSet, decided from its pods: in order of their ordinals one after the other, or all at once.
// @see kubernetes `pkg/controller/statefulset/stateful_set_control.go`, updateStatefulSet
import { isPodAvailable, isPodTerminal, podReady } from "../../api/index.ts";
import type { StatefulSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, scaledValue } from "../../machinery/index.ts";
import { isInRange, ordinalOf, podRevision, replicasOf, startOrdinal } from "./identity.ts";

type ReadonlyPod = DeepReadonly<Pod>;

export interface StatefulSnapshot {
  readonly set: DeepReadonly<StatefulSet>;
  /** The set's pods. */
  readonly pods: readonly ReadonlyPod[];
  /** Names of the revisions that the pods had so far and that they are to have. */
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

export type StatefulAction =
  | { readonly type: "create"; readonly ordinal: number; readonly revision: string }
  /** A pod that has ended, to be made anew. */
  | { readonly type: "recreate"; readonly pod: ReadonlyPod }
  /** A pod that is too much, or of an old revision. */
  | { readonly type: "delete"; readonly pod: ReadonlyPod }
  /** See that the pod has its claims, and it and they their identity. */
  | { readonly type: "repair"; readonly pod: ReadonlyPod };

interface Step {
  readonly action?: StatefulAction;
  /** An ordered set goes no further than here. */
  readonly blocks: boolean;
}

/** What to do now, in order. */
export function planStatefulSet(snapshot: StatefulSnapshot): readonly StatefulAction[] {
  const { set, pods } = snapshot;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const isOrdered = set.spec?.podManagementPolicy !== "Parallel";
  const actions: StatefulAction[] = [];
  const replicas = replicaSlots(set, pods);
  let isWaiting = false;
  for (const [index, pod] of replicas.entries()) {
    const { action, blocks } = replicaStep(snapshot, startOrdinal(set) + index, pod);
    if (action !== undefined) actions.push(action);
    if (isOrdered && blocks) return actions;
    isWaiting ||= action?.type === "recreate";
  }
  const condemned = pods.filter((pod) => !isInRange(set, ordinalOf(pod))).sort((a, b) => ordinalOf(b) - ordinalOf(a));
  for (const pod of condemned) actions.push({ type: "repair", pod });
  if (isWaiting) return actions;
  const firstUnhealthy = [...replicas, ...[...condemned].reverse()].find((pod) => pod !== undefined && !isHealthy(pod));
  for (const pod of condemned) {
    const { action, blocks } = condemnedStep(snapshot, pod, { isOrdered, isFirstUnhealthy: pod === firstUnhealthy });
    if (action !== undefined) actions.push(action);
    if (isOrdered && blocks) return actions;
  }
  if (set.spec?.updateStrategy?.type === "RollingUpdate") actions.push(...updateSteps(snapshot, replicas));
  return actions;
}

/** One place for each pod that the set is to have, by ordinal. */
export function replicaSlots(set: DeepReadonly<StatefulSet>, pods: readonly ReadonlyPod[]): readonly (ReadonlyPod | undefined)[] {
  const slots: (ReadonlyPod | undefined)[] = Array(replicasOf(set)).fill(undefined);
  for (const pod of pods) if (isInRange(set, ordinalOf(pod))) slots[ordinalOf(pod) - startOrdinal(set)] = pod;
  return slots;
}

function replicaStep(snapshot: StatefulSnapshot, ordinal: number, pod: ReadonlyPod | undefined): Step {
  if (pod === undefined) return { action: { type: "create", ordinal, revision: revisionFor(snapshot, ordinal) }, blocks: true };
  if (isPodTerminal(pod)) return isLeaving(pod) ? { blocks: true } : { action: { type: "recreate", pod }, blocks: true };
  const isUp = !isLeaving(pod) && isRunningAndAvailable(snapshot, pod);
  return { action: { type: "repair", pod }, blocks: !isUp };
}

/** Pods below the partition keep the revision that they had. */
function revisionFor({ set, currentRevision, updateRevision }: StatefulSnapshot, ordinal: number): string {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate") return updateRevision;
  const kept = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0);
  return ordinal < startOrdinal(set) + kept ? currentRevision : updateRevision;
}

/** In an ordered set a pod goes when those after it have gone and those before it are up, unless it is itself what is broken. */
function condemnedStep(
  snapshot: StatefulSnapshot,
  pod: ReadonlyPod,
  { isOrdered, isFirstUnhealthy }: { readonly isOrdered: boolean; readonly isFirstUnhealthy: boolean },
): Step {
  if (isLeaving(pod)) return { blocks: true };
  if (isOrdered && !isRunningAndAvailable(snapshot, pod) && !isFirstUnhealthy) return { blocks: true };
  return { action: { type: "delete", pod }, blocks: true };
}

/**
 * Pods of an old revision go from the last to the first: those that do not work anyway, then as many as may be
 * unavailable at once.
 */
function updateSteps(snapshot: StatefulSnapshot, replicas: readonly (ReadonlyPod | undefined)[]): readonly StatefulAction[] {
  const { partition = 0, maxUnavailable = 1 } = snapshot.set.spec?.updateStrategy?.rollingUpdate ?? {};
  const limit = Math.max(1, scaledValue(maxUnavailable, replicas.length));
  const isUp = (pod: ReadonlyPod | undefined) => pod !== undefined && !isLeaving(pod) && isRunningAndAvailable(snapshot, pod);
  const outdated = replicas
    .slice(partition)
    .filter((pod) => pod !== undefined)
    .filter((pod) => podRevision(pod) !== snapshot.updateRevision && !isLeaving(pod) && !isPodTerminal(pod))
    .reverse();
  const broken = outdated.filter((pod) => !isUp(pod));
  const room = Math.max(0, limit - replicas.filter((pod) => !isUp(pod)).length);
  return [...broken, ...outdated.filter(isUp).slice(0, room)].map((pod) => ({ type: "delete", pod }));
}

export function isLeaving(pod: ReadonlyPod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

export function isRunningAndReady(pod: ReadonlyPod): boolean {
  return pod.status?.phase === "Running" && podReady(pod);
}

function isHealthy(pod: ReadonlyPod): boolean {
  return isRunningAndReady(pod) && !isLeaving(pod);
}

export function isRunningAndAvailable({ set, nowMs }: StatefulSnapshot, pod: ReadonlyPod): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
}
