// The next step of a Deployment, decided from its ReplicaSets: a new set, other sizes, sets to delete.
import type { Deployment, ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import { isSameTemplate } from "../template-hash.ts";
import { newSetAnnotations, revisionOf, sizeAnnotations } from "./annotations.ts";
import {
  byAge,
  desiredOf,
  isRolling,
  isScaling,
  newSetSize,
  replicasOf,
  rolloutLimits,
  type Sizes,
  scaleSets,
  shrinkOldSets,
  uidOf,
} from "./rollout.ts";
import { isComplete } from "./status.ts";

export interface DeploymentSnapshot {
  readonly deployment: DeepReadonly<Deployment>;
  /** The sets that the Deployment controls. */
  readonly sets: readonly DeepReadonly<ReplicaSet>[];
  /** Pods of the old sets that have not ended: a recreation waits for them. */
  readonly oldPods: (oldSets: readonly DeepReadonly<ReplicaSet>[]) => readonly DeepReadonly<Pod>[];
}

export interface SetChange {
  readonly set: DeepReadonly<ReplicaSet>;
  readonly replicas: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly minReadySeconds: number;
}

export interface DeploymentPlan {
  readonly newSet: DeepReadonly<ReplicaSet> | undefined;
  readonly oldSets: readonly DeepReadonly<ReplicaSet>[];
  /** Make the newest set, so large and of this revision. */
  readonly create: { readonly replicas: number; readonly revision: number } | undefined;
  readonly changes: readonly SetChange[];
  /** Old sets beyond the history limit. */
  readonly delete: readonly DeepReadonly<ReplicaSet>[];
  /** What deployment.kubernetes.io/revision is to say. */
  readonly revision: number;
}

export function planDeployment(snapshot: DeploymentSnapshot): DeploymentPlan {
  const { deployment } = snapshot;
  const { newSet, oldSets } = splitSets(deployment, snapshot.sets);
  const newest = Math.max(0, ...oldSets.map(revisionOf));
  const revision = Math.max(newest + 1, newSet === undefined ? 0 : revisionOf(newSet));
  const base = { newSet, oldSets, revision };
  const nothing = { create: undefined, changes: [], delete: [] };
  if (deployment.metadata.deletionTimestamp !== undefined) return { ...base, ...nothing, revision: revisionOf(deployment) };
  const sizes = nextSizes(snapshot, newSet, oldSets);
  const create = createdSet(snapshot, newSet, oldSets, revision);
  const changes = [...(newSet === undefined ? [] : [newSet]), ...oldSets].flatMap((set) =>
    changeOf(deployment, set, { sizes, revision: set === newSet ? revision : undefined }),
  );
  return {
    ...base,
    create,
    changes,
    delete: expiredSets(deployment, oldSets),
    revision: newSet === undefined && create === undefined ? revisionOf(deployment) : revision,
  };
}

/** The set whose template is the Deployment's (the oldest, if several are), and all others. */
export function splitSets(deployment: DeepReadonly<Deployment>, sets: readonly DeepReadonly<ReplicaSet>[]) {
  const template = deployment.spec?.template;
  const newSet =
    template === undefined
      ? undefined
      : byAge(sets).find((set) => set.spec?.template !== undefined && isSameTemplate(set.spec.template, template));
  return { newSet, oldSets: sets.filter((set) => set !== newSet) };
}

function createdSet(
  snapshot: DeploymentSnapshot,
  newSet: DeepReadonly<ReplicaSet> | undefined,
  oldSets: readonly DeepReadonly<ReplicaSet>[],
  revision: number,
) {
  const { deployment } = snapshot;
  if (newSet !== undefined || deployment.spec?.paused === true || isScaling(deployment, snapshot.sets)) return undefined;
  if (!isRolling(deployment) && !isRecreationReady(snapshot, oldSets)) return undefined;
  return { replicas: newSetSize(deployment, oldSets, 0), revision };
}

function nextSizes(
  snapshot: DeploymentSnapshot,
  newSet: DeepReadonly<ReplicaSet> | undefined,
  oldSets: readonly DeepReadonly<ReplicaSet>[],
): Sizes {
  const { deployment, sets } = snapshot;
  if (deployment.spec?.paused === true || isScaling(deployment, sets)) return scaleSets(deployment, newSet, oldSets);
  if (!isRolling(deployment)) return recreationSizes(snapshot, newSet, oldSets);
  if (newSet === undefined) return new Map();
  const wanted = replicasOf(newSet) > desiredOf(deployment) ? desiredOf(deployment) : newSetSize(deployment, sets, replicasOf(newSet));
  // One step at a time: the old sets follow when the newest has its size.
  if (wanted !== replicasOf(newSet)) return new Map([[uidOf(newSet), wanted]]);
  return shrinkOldSets(deployment, newSet, oldSets);
}

function recreationSizes(
  snapshot: DeploymentSnapshot,
  newSet: DeepReadonly<ReplicaSet> | undefined,
  oldSets: readonly DeepReadonly<ReplicaSet>[],
): Sizes {
  const active = oldSets.filter((set) => replicasOf(set) > 0);
  if (active.length > 0) return new Map(active.map((set) => [uidOf(set), 0]));
  if (newSet === undefined || !isRecreationReady(snapshot, oldSets)) return new Map();
  return new Map([[uidOf(newSet), desiredOf(snapshot.deployment)]]);
}

/** A recreated Deployment's new pods start when the last old one has ended. */
function isRecreationReady({ oldPods }: DeploymentSnapshot, oldSets: readonly DeepReadonly<ReplicaSet>[]): boolean {
  return oldSets.every((set) => replicasOf(set) === 0) && oldPods(oldSets).length === 0;
}

/** `revision` is given for the newest set only. */
function changeOf(
  deployment: DeepReadonly<Deployment>,
  set: DeepReadonly<ReplicaSet>,
  { sizes, revision }: { readonly sizes: Sizes; readonly revision: number | undefined },
): SetChange[] {
  const replicas = sizes.get(uidOf(set)) ?? replicasOf(set);
  const current = set.metadata.annotations ?? {};
  const desired = desiredOf(deployment);
  const isSized = replicas > 0 || sizes.has(uidOf(set));
  const sized = isSized ? { ...current, ...sizeAnnotations(desired, desired + rolloutLimits(deployment).maxSurge) } : current;
  const annotations = revision === undefined ? sized : newSetAnnotations(deployment, sized, revision);
  const minReadySeconds = revision === undefined ? (set.spec?.minReadySeconds ?? 0) : (deployment.spec?.minReadySeconds ?? 0);
  const isSame = replicas === replicasOf(set) && deepEqual(annotations, current) && minReadySeconds === (set.spec?.minReadySeconds ?? 0);
  return isSame ? [] : [{ set, replicas, annotations, minReadySeconds }];
}

/** While a rollout is under way, every revision may still be wanted back. */
function isSettled(deployment: DeepReadonly<Deployment>): boolean {
  const { spec, status, metadata } = deployment;
  return spec?.paused === true || ((status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) && isComplete(deployment, status ?? {}));
}

/** Old sets without pods, beyond the revisionHistoryLimit newest. */
function expiredSets(deployment: DeepReadonly<Deployment>, oldSets: readonly DeepReadonly<ReplicaSet>[]): DeepReadonly<ReplicaSet>[] {
  if (!isSettled(deployment)) return [];
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined || limit === 2 ** 31 - 1) return [];
  const kept = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = kept.length - limit;
  if (surplus <= 0) return [];
  const byRevision = [...kept].sort((a, b) => revisionOf(a) - revisionOf(b));
  return byRevision
    .slice(0, surplus)
    .filter(
      (set) =>
        replicasOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0),
    );
}
