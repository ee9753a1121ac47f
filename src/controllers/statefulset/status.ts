// A StatefulSet's status: counts over its pods, and which revision they have.
import type { StatefulSetStatus } from "../../api/types/apps/v1.ts";
import { withoutZeros } from "../counts.ts";
import { podRevision, replicasOf } from "./identity.ts";
import { isLeaving, isRunningAndAvailable, isRunningAndReady, type StatefulSnapshot } from "./plan.ts";

export function statefulSetStatus(snapshot: StatefulSnapshot): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision } = snapshot;
  const staying = pods.filter((pod) => !isLeaving(pod));
  const ofRevision = (revision: string) => staying.filter((pod) => podRevision(pod) === revision).length;
  const ready = pods.filter(isRunningAndReady);
  const counts = { readyReplicas: ready.length, updatedReplicas: ofRevision(updateRevision), currentReplicas: ofRevision(currentRevision) };
  const isComplete =
    set.spec?.updateStrategy?.type === "RollingUpdate" &&
    counts.updatedReplicas === pods.length &&
    counts.readyReplicas === pods.length &&
    pods.length === replicasOf(set);
  const { collisionCount, conditions } = set.status ?? {};
  return {
    replicas: pods.length,
    availableReplicas: ready.filter((pod) => isRunningAndAvailable(snapshot, pod)).length,
    collisionCount: collisionCount ?? 0,
    currentRevision: isComplete ? updateRevision : currentRevision,
    updateRevision,
    ...withoutZeros({
      ...counts,
      currentReplicas: isComplete ? counts.updatedReplicas : counts.currentReplicas,
      observedGeneration: set.metadata.generation,
    }),
    ...(conditions === undefined ? {} : { conditions: conditions.map((condition) => ({ ...condition })) }),
  };
}
