// The annotations by which a Deployment and its ReplicaSets remember revisions and sizes.
import type { Deployment, ReplicaSet } from "../../api/types/apps/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

/** What stands on a Deployment for itself alone and is not handed on to its ReplicaSets. */
const NOT_COPIED = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
]);

type Annotations = Readonly<Record<string, string>>;

export function revisionOf(object: DeepReadonly<ReplicaSet> | DeepReadonly<Deployment>): number {
  return Number.parseInt(object.metadata.annotations?.[REVISION] ?? "0", 10) || 0;
}

/** The size that the Deployment had when the set was last scaled; undefined when the set does not say. */
export function desiredReplicasOf(set: DeepReadonly<ReplicaSet>): number | undefined {
  const text = set.metadata.annotations?.[DESIRED_REPLICAS];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** The most pods that the Deployment could have when the set was last scaled. */
export function maxReplicasOf(set: DeepReadonly<ReplicaSet>): number | undefined {
  const text = set.metadata.annotations?.[MAX_REPLICAS];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

export function sizeAnnotations(desired: number, max: number): Annotations {
  return { [DESIRED_REPLICAS]: `${desired}`, [MAX_REPLICAS]: `${max}` };
}

/** The annotations of the newest set: the Deployment's, and `revision`; an earlier revision is remembered when the set returns. */
export function newSetAnnotations(deployment: DeepReadonly<Deployment>, current: Annotations, revision: number): Annotations {
  const copied = Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)));
  const merged: Record<string, string> = { ...current, ...copied };
  const oldRevision = current[REVISION];
  if (oldRevision !== undefined && Number(oldRevision) >= revision) return merged;
  merged[REVISION] = `${revision}`;
  if (oldRevision !== undefined) {
    const history = current[REVISION_HISTORY];
    merged[REVISION_HISTORY] = history === undefined || history === "" ? oldRevision : `${history},${oldRevision}`;
  }
  return merged;
}
