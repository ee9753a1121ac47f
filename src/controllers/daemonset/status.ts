// A DaemonSet's status: counts over its nodes.
import { isPodAvailable, podReady } from "../../api/index.ts";
import type { DaemonSetStatus } from "../../api/types/apps/v1.ts";
import { withoutZeros } from "../counts.ts";
import { type DaemonSnapshot, eligibility, isUpdated, oldestFirst, podsByNode } from "./plan.ts";

/** `isCurrent`: the pods follow the set's generation, so that it may be called observed. */
export function daemonSetStatus(snapshot: DaemonSnapshot, { isCurrent }: { readonly isCurrent: boolean }): DaemonSetStatus {
  const { set, nodes, hash, nowMs } = snapshot;
  const byNode = podsByNode(snapshot.pods);
  const counts = { desired: 0, current: 0, ready: 0, available: 0, updated: 0, misscheduled: 0 };
  for (const node of nodes) {
    const [pod] = [...(byNode.get(node.metadata.name ?? "") ?? [])].sort(oldestFirst);
    if (!eligibility(set, node).shouldRun) {
      if (pod !== undefined) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (pod === undefined) continue;
    counts.current++;
    if (podReady(pod)) counts.ready++;
    if (isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)) counts.available++;
    if (isUpdated(set, pod, hash)) counts.updated++;
  }
  const observedGeneration = isCurrent ? set.metadata.generation : set.status?.observedGeneration;
  return {
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    ...withoutZeros({
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
      updatedNumberScheduled: counts.updated,
      observedGeneration,
    }),
    ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions === undefined ? {} : { conditions: [...set.status.conditions] }),
  };
}
