// Which pods no kubelet will ever clean up, and which nodes have to be asked for before that is certain.
import { getCondition, isPodTerminal } from "../../api/index.ts";
import type { Node, Pod, PodCondition } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** How long a node must have been missing before its pods are deleted. */
export const QUARANTINE_MS = 40_000;
/** Upstream's --terminated-pod-gc-threshold. */
export const TERMINATED_POD_THRESHOLD = 12_500;

const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

/** The node of that name, if the cluster has it. */
export type NodeLookup = (name: string) => DeepReadonly<Node> | undefined;

export interface PodGcView {
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly node: NodeLookup;
  readonly terminatedPodThreshold: number;
}

/** Ended pods above the threshold, evicted ones first, then the oldest. */
export function surplusTerminated({ pods, terminatedPodThreshold }: PodGcView): readonly DeepReadonly<Pod>[] {
  if (terminatedPodThreshold <= 0) return [];
  const terminated = pods.filter(isPodTerminal);
  const surplus = terminated.length - terminatedPodThreshold;
  if (surplus <= 0) return [];
  return terminated
    .sort(byEvictionAndCreation)
    .slice(0, surplus)
    .filter((pod) => !isForced(pod));
}

/** Whether all was done that can be done for the pod: only its finalizers keep it. */
function isForced(pod: DeepReadonly<Pod>): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && isPodTerminal(pod);
}

/** Pods being deleted that no node has: no kubelet will confirm. */
export function isUnscheduledTerminating(pod: DeepReadonly<Pod>): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName && !isForced(pod);
}

/** Pods being deleted on a node that is declared out of service and is not ready. */
export function isTerminatingOutOfService(pod: DeepReadonly<Pod>, node: NodeLookup): boolean {
  return pod.metadata.deletionTimestamp !== undefined && isOutOfService(node(pod.spec?.nodeName ?? "")) && !isForced(pod);
}

export function isOutOfService(node: DeepReadonly<Node> | undefined): boolean {
  const isTainted = node?.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE_TAINT) === true;
  return isTainted && getCondition(node?.status?.conditions, "Ready")?.status !== "True";
}

/** Whether the pod is bound to a node that the cluster does not have. */
export function isOrphaned(pod: DeepReadonly<Pod>, node: NodeLookup): boolean {
  const nodeName = pod.spec?.nodeName ?? "";
  return nodeName !== "" && node(nodeName) === undefined && !isForced(pod);
}

/** Names of the nodes that pods are bound to and that are not there. */
export function missingNodes({ pods, node }: PodGcView): ReadonlySet<string> {
  return new Set(pods.filter((pod) => isOrphaned(pod, node)).map(({ spec }) => spec?.nodeName ?? ""));
}

/** Pods to delete by force without a node being asked for, each once. */
export function forcedDeletions(view: PodGcView): readonly DeepReadonly<Pod>[] {
  const stuck = view.pods.filter((pod) => isUnscheduledTerminating(pod) || isTerminatingOutOfService(pod, view.node));
  return [...new Set([...surplusTerminated(view), ...stuck.sort(byEvictionAndCreation)])];
}

/** Since when each missing node has been missing, in monotonic milliseconds. */
export type Quarantine = ReadonlyMap<string, number>;

/** Starts the quarantine of nodes that have gone missing and ends that of those that came back or that no pod names. */
export function nextQuarantine(before: Quarantine, missing: ReadonlySet<string>, nowMs: number): Quarantine {
  return new Map([...missing].map((name) => [name, before.get(name) ?? nowMs]));
}

/** The status patch before a pod is deleted; undefined when the pod has ended already. */
export function failedStatus(pod: DeepReadonly<Pod>, nowMs: number, { isOrphan }: { readonly isOrphan: boolean }) {
  if (isPodTerminal(pod)) return undefined;
  const { generation: observedGeneration } = pod.metadata;
  const conditions = isOrphan ? [disruptionTarget(pod, nowMs)] : undefined;
  return { phase: "Failed", ...(observedGeneration && { observedGeneration }), ...(conditions && { conditions }) };
}

function disruptionTarget({ metadata, status }: DeepReadonly<Pod>, nowMs: number): PodCondition {
  const present = getCondition(status?.conditions, "DisruptionTarget");
  return {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message: "PodGC: node no longer exists",
    lastTransitionTime: (present?.status === "True" ? present.lastTransitionTime : undefined) ?? formatTime(nowMs),
    ...(metadata.generation && { observedGeneration: metadata.generation }),
  };
}

function byEvictionAndCreation(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): number {
  return (
    Number(isEvicted(b)) - Number(isEvicted(a)) ||
    compare(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") ||
    compare(a.metadata.name ?? "", b.metadata.name ?? "")
  );
}

function isEvicted({ status }: DeepReadonly<Pod>): boolean {
  return status?.phase === "Failed" && status.reason === "Evicted";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
