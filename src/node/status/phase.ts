// A pod's phase from its containers' statuses.
import type { ContainerStatus } from "../../api/types/core/v1.ts";
import { isSidecar, type PodObject, podRestartPolicy } from "../pod/pod-object.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface PhaseInput {
  readonly pod: PodObject;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Nothing of the pod will start any more and nothing runs. */
  readonly isOver: boolean;
}

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase */
export function podPhase(input: PhaseInput): Phase {
  const { pod, statuses, isOver } = input;
  const policy = podRestartPolicy(pod);
  const init = initProgress(input);
  if (init.hasFailed && (policy === "Never" || isOver)) return "Failed";
  const count = countMains(statuses);
  const hasBegun = count.running + count.stopped > 0;
  if (isOver) return count.stopped === count.succeeded && count.stopped === statuses.length ? "Succeeded" : "Failed";
  if (!hasBegun && (init.isPending || init.hasFailed)) return "Pending";
  if (count.waiting > 0) return hasBegun ? "Running" : "Pending";
  if (count.running > 0) return "Running";
  if (count.stopped === 0) return "Pending";
  if (init.hasRunningSidecar || policy === "Always") return "Running";
  if (count.stopped === count.succeeded) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

function countMains(statuses: readonly ContainerStatus[]) {
  const count = { waiting: 0, running: 0, stopped: 0, succeeded: 0 };
  for (const { state, lastState } of statuses) {
    if (state?.running !== undefined) count.running++;
    else if (state?.terminated !== undefined) {
      count.stopped++;
      if (state.terminated.exitCode === 0) count.succeeded++;
    } else if (lastState?.terminated !== undefined) count.stopped++;
    else count.waiting++;
  }
  return count;
}

function initProgress({ pod, initStatuses }: PhaseInput) {
  let isPending = false;
  let hasFailed = false;
  let hasRunningSidecar = false;
  for (const spec of pod.spec?.initContainers ?? []) {
    const status = initStatuses.find(({ name }) => name === spec.name);
    const ended = status?.state?.terminated ?? (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated);
    if (isSidecar(spec)) {
      if (status?.state?.running !== undefined) hasRunningSidecar = true;
      if (status?.started !== true && ended === undefined) isPending = true;
    } else if (ended === undefined) isPending = true;
    else if (ended.exitCode !== 0) hasFailed = true;
  }
  return { isPending, hasFailed, hasRunningSidecar };
}
