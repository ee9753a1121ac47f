// How a pod ends: main containers at once, then sidecars in the reverse of their order, then the sandbox.
import { allContainers } from "./pod-object.ts";
import { isAlive, type PodView, type WorkerState } from "./pod-view.ts";
import type { Action, Plan } from "./step.ts";

type Terminating = Extract<WorkerState, { kind: "terminating" }>;

/** What is left of the grace for a container whose turn comes late; a moment is always left to end in order. */
const MINIMUM_GRACE_SECONDS = 2;

/** The actions that bring a pod to its end. */
export function planTerminating(view: PodView, state: Terminating): Omit<Plan, "state"> {
  const alive = view.runtime.containers.filter(isAlive);
  const sidecars = allContainers(view.pod)
    .filter((container) => container.role === "sidecar")
    .map((container) => container.spec.name);
  const others = alive.filter((container) => !sidecars.includes(container.name));
  // A start under way may still bring a container up: the sidecars wait for it.
  const isStarting = [...view.busy].some((key) => key.startsWith("container/"));
  const turn = others.length > 0 ? others : isStarting ? [] : lastSidecars(view, sidecars);
  const elapsedSeconds = Math.max(0, Math.floor((view.nowMs - state.sinceMs) / 1000));
  const left = state.graceSeconds - (others.length > 0 ? 0 : elapsedSeconds);
  const graceSeconds = state.graceSeconds === 0 ? 0 : Math.max(left, Math.min(MINIMUM_GRACE_SECONDS, state.graceSeconds));
  const actions = turn.map(
    (container): Action => ({
      kind: "killContainer",
      key: `kill/${container.id}/${state.graceSeconds}`,
      id: container.id,
      name: container.name,
      graceSeconds,
      message: `Stopping container ${container.name}`,
      isRestart: false,
    }),
  );
  if (alive.length === 0 && !isStarting && !view.busy.has("sandbox")) {
    for (const { id, state } of view.runtime.sandboxes) {
      if (state === "READY" || !view.stopped.has(id)) actions.push({ kind: "stopSandbox", key: `sandbox/${id}`, id });
    }
  }
  return { actions, waiting: new Map() };
}

function lastSidecars(view: PodView, names: readonly string[]) {
  for (const name of names.toReversed()) {
    const alive = view.runtime.containers.filter((container) => container.name === name && isAlive(container));
    if (alive.length > 0) return alive;
  }
  return [];
}
