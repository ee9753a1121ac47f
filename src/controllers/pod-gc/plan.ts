// Which pods nobody else will ever delete.
import { isPodTerminal } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type PodState = DeepReadonly<Pod>;

/** Upstream's --terminated-pod-gc-threshold. */
export const TERMINATED_POD_THRESHOLD = 12_500;
const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

export interface PodGcPlan {
  /** Finished pods beyond the threshold, the oldest first. */
  readonly terminated: readonly PodState[];
  /** Pods that were deleted before they had a node. */
  readonly unscheduled: readonly PodState[];
  /** Pods on their way out on nodes that a person has declared dead. */
  readonly outOfService: readonly PodState[];
  /** Pods on nodes that do not exist; the caller makes sure of that. */
  readonly orphaned: readonly PodState[];
}

/** @see kubernetes `pkg/controller/podgc/gc_controller.go` */
export function planPodGc(
  pods: readonly PodState[],
  nodeOf: (name: string) => DeepReadonly<Node> | undefined,
  threshold = TERMINATED_POD_THRESHOLD,
): PodGcPlan {
  const isOutOfService = ({ spec }: PodState) => {
    const node = nodeOf(spec?.nodeName ?? "");
    const isReady = node?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    return node !== undefined && !isReady && node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE_TAINT) === true;
  };
  const isLeaving = ({ metadata }: PodState) => metadata.deletionTimestamp !== undefined;
  return {
    terminated: beyondThreshold(pods.filter(isPodTerminal), threshold),
    unscheduled: pods.filter((pod) => isLeaving(pod) && !pod.spec?.nodeName),
    outOfService: pods.filter((pod) => isLeaving(pod) && isOutOfService(pod)),
    orphaned: pods.filter(({ spec }) => spec?.nodeName && nodeOf(spec.nodeName) === undefined),
  };
}

function beyondThreshold(terminated: readonly PodState[], threshold: number): readonly PodState[] {
  if (threshold <= 0 || terminated.length <= threshold) return [];
  const age = ({ metadata }: PodState) => metadata.creationTimestamp ?? "";
  const byAge = [...terminated].sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
  return byAge.slice(0, terminated.length - threshold);
}
