// A Deployment's status: sums over its ReplicaSets, and the conditions Available, Progressing and ReplicaFailure.
import { getCondition } from "../../api/index.ts";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/types/apps/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { withoutZeros } from "../counts.ts";
import { availableOf, desiredOf, rolloutLimits, sumOf } from "./rollout.ts";

export interface DeploymentStatusInput {
  readonly deployment: DeepReadonly<Deployment>;
  readonly newSet: DeepReadonly<ReplicaSet> | undefined;
  readonly oldSets: readonly DeepReadonly<ReplicaSet>[];
  readonly nowMs: number;
  /** The newest set has just been made. */
  readonly isCreated?: boolean;
  /** Why the newest set could not be made. */
  readonly createError?: string | undefined;
}

interface Wanted {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** The status and, when a progress deadline runs, how long until it is over. */
export function deploymentStatus(input: DeploymentStatusInput): { readonly status: DeploymentStatus; readonly deadlineInMs?: number } {
  const { deployment, newSet, oldSets } = input;
  const sets = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const replicas = sumOf(sets, (set) => set.status?.replicas ?? 0);
  const availableReplicas = sumOf(sets, availableOf);
  const counts = {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sumOf(sets, (set) => set.status?.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, replicas - availableReplicas),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
  };
  const conditions = new Map((deployment.status?.conditions ?? []).map((condition) => [condition.type, { ...condition }]));
  setCondition(conditions, "Available", available(deployment, availableReplicas), input.nowMs);
  const progress = progressing(input, counts);
  if (!hasDeadline(deployment)) conditions.delete("Progressing");
  else if (progress.wanted !== undefined)
    setCondition(conditions, "Progressing", progress.wanted, input.nowMs, { hasProgressed: progress.hasProgressed });
  const failure = replicaFailure(input, sets);
  if (failure === undefined) conditions.delete("ReplicaFailure");
  else setCondition(conditions, "ReplicaFailure", failure, input.nowMs);
  const status = { ...withoutZeros(counts), ...terminating(sets), conditions: [...conditions.values()] };
  return progress.deadlineInMs === undefined ? { status } : { status, deadlineInMs: progress.deadlineInMs };
}

/** Unknown while a set does not tell. */
function terminating(sets: readonly DeepReadonly<ReplicaSet>[]): { readonly terminatingReplicas?: number } {
  const isKnown = sets.every(({ status }) => status?.terminatingReplicas !== undefined);
  return isKnown ? { terminatingReplicas: sumOf(sets, ({ status }) => status?.terminatingReplicas ?? 0) } : {};
}

function available(deployment: DeepReadonly<Deployment>, availableReplicas: number): Wanted {
  const isAvailable = availableReplicas >= desiredOf(deployment) - rolloutLimits(deployment).maxUnavailable;
  return isAvailable
    ? { status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." }
    : { status: "False", reason: "MinimumReplicasUnavailable", message: "Deployment does not have minimum availability." };
}

interface Progress {
  readonly wanted: Wanted | undefined;
  readonly hasProgressed: boolean;
  readonly deadlineInMs?: number;
}

type Counts = Pick<DeploymentStatus, "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas">;

function progressing(input: DeploymentStatusInput, counts: Counts): Progress {
  const { deployment, newSet, createError } = input;
  if (createError !== undefined)
    return { wanted: { status: "False", reason: "ReplicaSetCreateError", message: createError }, hasProgressed: false };
  if (deployment.spec?.paused === true)
    return { wanted: { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" }, hasProgressed: false };
  const known = getCondition(deployment.status?.conditions, "Progressing");
  const subject = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  const stays = { wanted: undefined, hasProgressed: false };
  if (input.isCreated === true)
    return started(
      { status: "True", reason: "NewReplicaSetCreated", message: `Created new replica set "${newSet?.metadata.name}"` },
      input,
    );
  // A rollout that is over does not begin anew because pods come and go.
  if (known?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas) return stays;
  if (isComplete(deployment, counts)) {
    return {
      wanted: { status: "True", reason: "NewReplicaSetAvailable", message: `${subject} has successfully progressed.` },
      hasProgressed: false,
    };
  }
  if (known === undefined) {
    if (newSet === undefined) return stays;
    return started({ status: "True", reason: "FoundNewReplicaSet", message: `Found new replica set "${newSet.metadata.name}"` }, input);
  }
  if (known.reason === "DeploymentPaused")
    return started({ status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" }, input);
  if (hasProgressed(deployment, newSet, counts)) {
    return {
      wanted: { status: "True", reason: "ReplicaSetUpdated", message: `${subject} is progressing.` },
      hasProgressed: true,
      ...deadline(input, input.nowMs),
    };
  }
  const remaining = deadline(input, Date.parse(known.lastUpdateTime ?? "") || input.nowMs).deadlineInMs;
  if (remaining !== undefined && remaining <= 0 && known.reason !== "NewReplicaSetAvailable") {
    return {
      wanted: { status: "False", reason: "ProgressDeadlineExceeded", message: `${subject} has timed out progressing.` },
      hasProgressed: false,
    };
  }
  return { wanted: undefined, hasProgressed: false, ...(remaining === undefined ? {} : { deadlineInMs: remaining }) };
}

/** The deadline begins. */
function started(wanted: Wanted, input: DeploymentStatusInput): Progress {
  return { wanted, hasProgressed: true, ...deadline(input, input.nowMs) };
}

function hasDeadline({ spec }: DeepReadonly<Deployment>): boolean {
  return spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2 ** 31 - 1;
}

/** Counts from the last progress; 0 or absent means that no deadline runs. */
function deadline({ deployment, nowMs }: DeploymentStatusInput, fromMs: number): { readonly deadlineInMs?: number } {
  if (!hasDeadline(deployment)) return {};
  return { deadlineInMs: fromMs + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 - nowMs };
}

export function isComplete(deployment: DeepReadonly<Deployment>, counts: Counts): boolean {
  const desired = desiredOf(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = counts;
  return updatedReplicas === desired && replicas === desired && availableReplicas === desired;
}

function hasProgressed(deployment: DeepReadonly<Deployment>, newSet: DeepReadonly<ReplicaSet> | undefined, counts: Counts): boolean {
  const before = deployment.status ?? {};
  const oldNow = (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0);
  const oldBefore = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  const isNewRollout =
    newSet !== undefined && deployment.status?.observedGeneration !== deployment.metadata.generation && (counts.updatedReplicas ?? 0) === 0;
  return (
    isNewRollout ||
    (counts.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldNow < oldBefore ||
    (counts.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (counts.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function replicaFailure({ newSet }: DeploymentStatusInput, sets: readonly DeepReadonly<ReplicaSet>[]): Wanted | undefined {
  const failing = [newSet, ...sets].find((set) => getCondition(set?.status?.conditions, "ReplicaFailure") !== undefined);
  const condition = getCondition(failing?.status?.conditions, "ReplicaFailure");
  return condition === undefined ? undefined : { status: "True", reason: condition.reason ?? "", message: condition.message ?? "" };
}

/** Keeps times that say nothing new: lastTransitionTime follows the status, lastUpdateTime the reason (or progress). */
function setCondition(
  conditions: Map<string, DeploymentCondition>,
  type: string,
  wanted: Wanted,
  nowMs: number,
  { hasProgressed = false }: { hasProgressed?: boolean } = {},
): void {
  const now = formatTime(nowMs);
  const known = conditions.get(type);
  const isSame = known?.status === wanted.status && known.reason === wanted.reason;
  if (isSame && !hasProgressed) return;
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? now) : now;
  conditions.set(type, { type, ...wanted, lastTransitionTime, lastUpdateTime: now });
}
