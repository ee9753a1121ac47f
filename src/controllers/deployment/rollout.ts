// Sizes of a Deployment's ReplicaSets, step by step: rolling and recreate rollouts, and scaling while one is under way.
import type { Deployment, ReplicaSet } from "../../api/types/apps/v1.ts";
import { type DeepReadonly, scaledValue } from "../../machinery/index.ts";
import { desiredReplicasOf, maxReplicasOf } from "./annotations.ts";

type Sets = readonly DeepReadonly<ReplicaSet>[];

/** The replicas that a set is to have, by the set's uid; sets that stay as they are need not be in it. */
export type Sizes = ReadonlyMap<string, number>;

export function replicasOf(set: DeepReadonly<ReplicaSet>): number {
  return set.spec?.replicas ?? 1;
}

export function availableOf(set: DeepReadonly<ReplicaSet>): number {
  return set.status?.availableReplicas ?? 0;
}

export function sumOf(sets: Sets, amount: (set: DeepReadonly<ReplicaSet>) => number): number {
  return sets.reduce((sum, set) => sum + amount(set), 0);
}

export function isRolling(deployment: DeepReadonly<Deployment>): boolean {
  return deployment.spec?.strategy?.type !== "Recreate";
}

export function desiredOf(deployment: DeepReadonly<Deployment>): number {
  return deployment.spec?.replicas ?? 1;
}

/** How many pods a rollout may have too many, and too few; never both 0. */
export function rolloutLimits(deployment: DeepReadonly<Deployment>): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const desired = desiredOf(deployment);
  if (!isRolling(deployment) || desired === 0) return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, { roundUp: true });
  const unavailable = scaledValue(maxUnavailable, desired, { roundUp: false });
  return { maxSurge: surge, maxUnavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, desired) };
}

/** How large the newest set may be now. */
export function newSetSize(deployment: DeepReadonly<Deployment>, sets: Sets, current: number): number {
  const desired = desiredOf(deployment);
  if (!isRolling(deployment)) return desired;
  const room = desired + rolloutLimits(deployment).maxSurge - sumOf(sets, replicasOf);
  return room <= 0 ? current : Math.min(current + room, desired);
}

/** Old sets shrink: first by what does not work anyway, then by what the available ones allow. */
export function shrinkOldSets(deployment: DeepReadonly<Deployment>, newSet: DeepReadonly<ReplicaSet>, oldSets: Sets): Sizes {
  const sizes = new Map<string, number>();
  const total = sumOf(oldSets, replicasOf) + replicasOf(newSet);
  const minAvailable = desiredOf(deployment) - rolloutLimits(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newSet) - availableOf(newSet);
  const removable = total - minAvailable - newUnavailable;
  if (removable <= 0) return sizes;
  const removedUnhealthy = removeUnhealthy(byAge(oldSets), removable, sizes);
  const available = sumOf([...oldSets, newSet], availableOf);
  removeHealthy(byAge(oldSets), Math.min(available - minAvailable, removable - removedUnhealthy), sizes);
  return sizes;
}

function removeUnhealthy(sets: Sets, limit: number, sizes: Map<string, number>): number {
  let removed = 0;
  for (const set of sets) {
    if (removed >= limit) break;
    const unhealthy = Math.min(limit - removed, replicasOf(set) - availableOf(set));
    if (unhealthy <= 0) continue;
    sizes.set(uidOf(set), replicasOf(set) - unhealthy);
    removed += unhealthy;
  }
  return removed;
}

function removeHealthy(sets: Sets, limit: number, sizes: Map<string, number>): void {
  let left = limit;
  for (const set of sets) {
    if (left <= 0) return;
    const size = sizes.get(uidOf(set)) ?? replicasOf(set);
    const removed = Math.min(size, left);
    if (removed <= 0) continue;
    sizes.set(uidOf(set), size - removed);
    left -= removed;
  }
}

/** Whether a set was last scaled for another size of the Deployment. */
export function isScaling(deployment: DeepReadonly<Deployment>, sets: Sets): boolean {
  return sets.some((set) => {
    const desired = desiredReplicasOf(set);
    return replicasOf(set) > 0 && desired !== undefined && desired !== desiredOf(deployment);
  });
}

/**
 * Sizes after the Deployment's own size has changed. While a rollout is under way the change is shared out in proportion
 * to the sets' sizes.
 * @see kubernetes `pkg/controller/deployment/sync.go`, scale
 */
export function scaleSets(deployment: DeepReadonly<Deployment>, newSet: DeepReadonly<ReplicaSet> | undefined, oldSets: Sets): Sizes {
  const desired = desiredOf(deployment);
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const active = all.filter((set) => replicasOf(set) > 0);
  const only = active.length === 1 ? active[0] : active.length === 0 ? (newSet ?? byAge(oldSets).at(-1)) : undefined;
  if (only !== undefined) return new Map([[uidOf(only), desired]]);
  if (newSet !== undefined && availableOf(newSet) === desired && replicasOf(newSet) === desired) {
    return new Map(active.filter((set) => set !== newSet).map((set) => [uidOf(set), 0]));
  }
  return isRolling(deployment) ? proportionalSizes(deployment, active) : new Map();
}

function proportionalSizes(deployment: DeepReadonly<Deployment>, active: Sets): Sizes {
  const allowed = desiredOf(deployment) === 0 ? 0 : desiredOf(deployment) + rolloutLimits(deployment).maxSurge;
  const total = sumOf(active, replicasOf);
  let toAdd = allowed - total;
  // The largest first; of equals the newest when growing, the oldest when shrinking.
  const ordered = byAge(active).sort(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? createdAt(b) - createdAt(a) : createdAt(a) - createdAt(b)),
  );
  const sizes = new Map<string, number>();
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : proportion(deployment, set, { allowed, total, left: toAdd });
    sizes.set(uidOf(set), replicasOf(set) + share);
    toAdd -= share;
  }
  const largest = ordered[0];
  if (largest !== undefined && toAdd !== 0) sizes.set(uidOf(largest), Math.max(0, (sizes.get(uidOf(largest)) ?? 0) + toAdd));
  return sizes;
}

function proportion(
  deployment: DeepReadonly<Deployment>,
  set: DeepReadonly<ReplicaSet>,
  { allowed, total, left }: { readonly allowed: number; readonly total: number; readonly left: number },
): number {
  const size = replicasOf(set);
  if (size === 0) return 0;
  const before = maxReplicasOf(set) ?? total;
  const wanted = allowed === 0 && desiredOf(deployment) === 0 ? 0 : Math.round((size * allowed) / (before === 0 ? total : before));
  const share = wanted - size;
  return left > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left);
}

/** Oldest first. */
export function byAge(sets: Sets): DeepReadonly<ReplicaSet>[] {
  return [...sets].sort((a, b) => createdAt(a) - createdAt(b) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
}

function createdAt(set: DeepReadonly<ReplicaSet>): number {
  return Date.parse(set.metadata.creationTimestamp ?? "") || 0;
}

export function uidOf(set: DeepReadonly<ReplicaSet>): string {
  return set.metadata.uid ?? "";
}
