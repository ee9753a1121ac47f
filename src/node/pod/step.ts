// The pod worker's decision: from all that is known of a pod to its next state and the actions to begin. Pure.
import { planRunning } from "./plan-running.ts";
import { planTerminating } from "./plan-terminating.ts";
import { allContainers, type PodObject, podRestartPolicy, type RoledContainer, shouldRestart } from "./pod-object.ts";
import { isAlive, isDown, latestContainer, type PodView, type WorkerState } from "./pod-view.ts";

/** `key` names what an action works on: of one key only one action is under way. */
export type Action =
  | { readonly kind: "mountVolumes"; readonly key: string }
  | { readonly kind: "runSandbox"; readonly key: string; readonly attempt: number; readonly isReplacement: boolean }
  | { readonly kind: "stopSandbox"; readonly key: string; readonly id: string }
  | { readonly kind: "startContainer"; readonly key: string; readonly name: string; readonly attempt: number; readonly endedAtMs?: number }
  | {
      readonly kind: "killContainer";
      readonly key: string;
      readonly id: string;
      readonly name: string;
      readonly graceSeconds: number;
      readonly message: string;
      /** Killed to be started again. */
      readonly isRestart: boolean;
    }
  | { readonly kind: "resizeContainer"; readonly key: string; readonly id: string; readonly name: string }
  | { readonly kind: "removeContainer"; readonly key: string; readonly id: string; readonly logPath: string }
  | { readonly kind: "resizePod"; readonly key: string }
  | { readonly kind: "removeSandbox"; readonly key: string; readonly id: string }
  | { readonly kind: "tearDown"; readonly key: string }
  | { readonly kind: "deleteObject"; readonly key: string }
  | { readonly kind: "forget"; readonly key: string };

export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  readonly state: WorkerState;
  readonly actions: readonly Action[];
  /** Waiting states of containers that are to run and cannot yet. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Look again at this time even if nothing happens. */
  readonly wakeAtMs?: number;
}

const DEADLINE_EXCEEDED = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
} as const;

/** One step; actions whose key is busy or has to wait for a retry are left out. */
export function step(view: PodView): Plan {
  const state = nextState(view);
  const plan = planFor({ ...view, state });
  let wakeAtMs = plan.wakeAtMs;
  const actions = plan.actions.filter((action) => {
    if (view.busy.has(action.key)) return false;
    const retryAtMs = view.retryAtMs.get(action.key) ?? 0;
    if (retryAtMs <= view.nowMs) return true;
    wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, retryAtMs);
    return false;
  });
  const deadlineMs = state.kind === "running" ? activeDeadline(view.pod) : undefined;
  if (deadlineMs !== undefined) wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, deadlineMs);
  return { state, actions, waiting: plan.waiting, ...(wakeAtMs === undefined ? {} : { wakeAtMs }) };
}

function planFor(view: PodView): Omit<Plan, "state"> {
  switch (view.state.kind) {
    case "running":
      return planRunning(view);
    case "terminating":
      return planTerminating(view, view.state);
    case "terminated":
      return { actions: [{ kind: "tearDown", key: "tearDown" }], waiting: new Map() };
    case "finished":
      if (view.isOrphan) return { actions: [{ kind: "forget", key: "forget" }], waiting: new Map() };
      if (view.pod.metadata.deletionTimestamp === undefined) return { actions: [], waiting: new Map() };
      return { actions: [{ kind: "deleteObject", key: "deleteObject" }], waiting: new Map() };
  }
}

function nextState(view: PodView): WorkerState {
  const { state } = view;
  switch (state.kind) {
    case "running":
      return leaveRunning(view) ?? state;
    case "terminating": {
      const graceSeconds = Math.min(state.graceSeconds, deletionGrace(view) ?? state.graceSeconds);
      if (!isStopped(view)) return graceSeconds === state.graceSeconds ? state : { ...state, graceSeconds };
      return { kind: "terminated", cause: state.cause };
    }
    case "terminated":
    case "finished":
      // The runtime has carried out a start that was given up long before.
      return isDown(view) ? state : { kind: "terminating", sinceMs: view.nowMs, graceSeconds: 0, cause: state.cause };
  }
}

function leaveRunning(view: PodView): WorkerState | undefined {
  const { pod, nowMs } = view;
  const sinceMs = nowMs;
  const grace = deletionGrace(view);
  if (grace !== undefined) return { kind: "terminating", sinceMs, graceSeconds: grace };
  const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
  const deadlineMs = activeDeadline(pod);
  if (deadlineMs !== undefined && nowMs >= deadlineMs) return { kind: "terminating", sinceMs, graceSeconds, cause: DEADLINE_EXCEEDED };
  return hasEnded(view) ? { kind: "terminating", sinceMs, graceSeconds } : undefined;
}

/** How long the pod may take to end, when it is to end because its object was deleted or is gone. */
function deletionGrace({ pod, isOrphan }: PodView): number | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) {
    return pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
  }
  return isOrphan ? (pod.spec?.terminationGracePeriodSeconds ?? 30) : undefined;
}

function activeDeadline(pod: PodObject): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const startTime = pod.status?.startTime;
  return seconds === undefined || startTime === undefined ? undefined : Date.parse(startTime) + seconds * 1000;
}

/** Whether the pod has run its course: every main container has ended for good, or an init container has failed for good. */
function hasEnded({ pod, runtime, busy }: PodView): boolean {
  const containers = allContainers(pod);
  const sandboxId = runtime.sandboxes[0]?.id;
  const hasFailedInit = containers.some((container) => {
    if (container.role !== "init" || busy.has(`container/${container.spec.name}`)) return false;
    const latest = latestContainer(runtime, container.spec.name, sandboxId);
    return latest?.state === "EXITED" && latest.exitCode !== 0 && !shouldRestart(pod, container, latest.exitCode);
  });
  if (hasFailedInit) return true;
  if (isTerminalPhase(pod) && runtime.containers.every((container) => !isAlive(container))) return true;
  const hasOwnPolicy = (container: RoledContainer) => container.role === "main" && container.spec.restartPolicy !== undefined;
  if (podRestartPolicy(pod) === "Always" && !containers.some(hasOwnPolicy)) return false;
  return containers
    .filter((container) => container.role === "main")
    .every((container) => {
      if (busy.has(`container/${container.spec.name}`)) return false;
      const latest = latestContainer(runtime, container.spec.name);
      return latest?.state === "EXITED" && !shouldRestart(pod, container, latest.exitCode);
    });
}

/** The object says that the pod has ended: it never starts again, also when the runtime has forgotten it. */
function isTerminalPhase(pod: PodObject): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

function isStopped(view: PodView): boolean {
  for (const key of view.busy) if (key !== "volumes") return false;
  return isDown(view);
}
