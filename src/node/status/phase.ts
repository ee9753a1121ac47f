// A pod's phase from its containers' statuses.
import type { ContainerStatus } from "../../api/types/core/v1.ts";
import { findContainer, isSidecar, type PodObject, shouldRestart } from "../pod/pod-object.ts";

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
  const init = initProgress(input);
  if (init.hasFailedForGood || (init.hasFailed && isOver)) return "Failed";
  const count = countMains(pod, statuses);
  const hasBegun = count.running + count.stopped > 0;
  if (isOver) return count.stopped === count.succeeded && count.stopped === statuses.length ? "Succeeded" : "Failed";
  if (!hasBegun && (init.isPending || init.hasFailed)) return "Pending";
  if (count.waiting > 0) return hasBegun ? "Running" : "Pending";
  if (count.running > 0) return "Running";
  if (count.stopped === 0) return "Pending";
  if (init.hasRunningSidecar || count.restarting > 0) return "Running";
  return count.stopped === count.succeeded ? "Succeeded" : "Failed";
}

function countMains(pod: PodObject, statuses: readonly ContainerStatus[]) {
  const count = { waiting: 0, running: 0, stopped: 0, succeeded: 0, restarting: 0 };
  for (const { name, state, lastState } of statuses) {
    if (state?.running !== undefined) count.running++;
    else if (state?.terminated !== undefined) {
      count.stopped++;
      if (state.terminated.exitCode === 0) count.succeeded++;
      if (willRestart(pod, name, state.terminated.exitCode)) count.restarting++;
    } else if (lastState?.terminated !== undefined) {
      count.stopped++;
      count.restarting++;
    } else count.waiting++;
  }
  return count;
}

function willRestart(pod: PodObject, name: string, exitCode: number): boolean {
  const container = findContainer(pod, name);
  return container !== undefined && shouldRestart(pod, container, exitCode);
}

function initProgress({ pod, initStatuses }: PhaseInput) {
  let isPending = false;
  let hasFailed = false;
  let hasFailedForGood = false;
  let hasRunningSidecar = false;
  for (const spec of pod.spec?.initContainers ?? []) {
    const status = initStatuses.find(({ name }) => name === spec.name);
    const ended = status?.state?.terminated ?? (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated);
    if (isSidecar(spec)) {
      if (status?.state?.running !== undefined) hasRunningSidecar = true;
      if (status?.started !== true && ended === undefined) isPending = true;
    } else if (ended === undefined) isPending = true;
    else if (ended.exitCode !== 0) {
      hasFailed = true;
      if (!willRestart(pod, spec.name, ended.exitCode)) hasFailedForGood = true;
    }
  }
  return { isPending, hasFailed, hasFailedForGood, hasRunningSidecar };
}
