// What a pod that should run needs next: volumes, sandbox, init containers in order, main containers together.
import type { ContainerStatus, SandboxStatus } from "../runtime/runtime.ts";
import { changedResources, isRestartNeeded } from "./allocation.ts";
import { planGarbage } from "./plan-garbage.ts";
import {
  allContainers,
  type ContainerSpec,
  containerHash,
  formatDuration,
  formatPod,
  podRestartPolicy,
  type RoledContainer,
  shouldRestart,
} from "./pod-object.ts";
import { currentSandbox, isAlive, latestContainer, type PodView, type StartFailure } from "./pod-view.ts";
import { restartAt } from "./restart-backoff.ts";
import type { Action, Plan, Waiting } from "./step.ts";

/** Annotation of a container with its definition's hash. */
export const HASH_ANNOTATION = "io.kubernetes.container.hash";

/** How long a failed pull shows its error before it shows that it waits. */
const PULL_ERROR_SHOWN_MS = 2_000;

interface Draft {
  readonly view: PodView;
  readonly actions: Action[];
  readonly waiting: Map<string, Waiting>;
  wakeAtMs: number;
}

/** The actions that bring a pod closer to its specification. */
export function planRunning(view: PodView): Omit<Plan, "state"> {
  const draft: Draft = { view, actions: [], waiting: new Map(), wakeAtMs: Number.POSITIVE_INFINITY };
  const sandbox = currentSandbox(view.runtime);
  draft.actions.push(...planGarbage(view));
  if (sandbox === undefined) planSandbox(draft);
  else if (!view.hasVolumes) draft.actions.push({ kind: "mountVolumes", key: "volumes" });
  else planContainers(draft, sandbox);
  const { actions, waiting, wakeAtMs } = draft;
  return wakeAtMs === Number.POSITIVE_INFINITY ? { actions, waiting } : { actions, waiting, wakeAtMs };
}

function planSandbox(draft: Draft): void {
  const { view, actions } = draft;
  const previous = view.runtime.sandboxes[0];
  const orphans = view.runtime.containers.filter(isAlive);
  for (const container of orphans) actions.push(kill(view, container, "Pod sandbox changed, it will be killed and re-created."));
  if (orphans.length > 0) return;
  // A pod that must not be restarted has had its one run.
  if (podRestartPolicy(view.pod) === "Never" && previous !== undefined && view.runtime.containers.length > 0) return;
  // Neither needs the other: whichever takes longer hides the other.
  if (!view.hasVolumes) actions.push({ kind: "mountVolumes", key: "volumes" });
  const attempt = previous === undefined ? 0 : previous.attempt + 1;
  actions.push({ kind: "runSandbox", key: "sandbox", attempt, isReplacement: previous !== undefined });
}

function planContainers(draft: Draft, sandbox: SandboxStatus): void {
  const { view } = draft;
  const containers = allContainers(view.pod);
  if (changedResources(view.groupResources, view.pod.spec?.resources).length > 0) draft.actions.push({ kind: "resizePod", key: "resize" });
  for (const container of containers) planRestart(draft, container, sandbox);
  const mains = containers.filter(({ role }) => role === "main");
  const hasBegun = mains.some(({ spec }) => latestContainer(view.runtime, spec.name, sandbox.id) !== undefined);
  const isInitialized = planInit(draft, containers, { sandbox, hasBegun });
  for (const container of containers) {
    if (container.role === "ephemeral") planEphemeral(draft, container);
    if (container.role === "main" && isInitialized) planStart(draft, container, latestContainer(view.runtime, container.spec.name));
  }
}

/** Running containers that must be replaced, and older lives of a container that somehow still run. */
function planRestart(draft: Draft, { spec }: RoledContainer, sandbox: SandboxStatus): void {
  const { view, actions } = draft;
  const latest = latestContainer(view.runtime, spec.name);
  for (const container of view.runtime.containers) {
    if (container.name !== spec.name || !isAlive(container)) continue;
    const hash = container.annotations[HASH_ANNOTATION];
    const condemned = view.condemned.get(container.id);
    if (container.id !== latest?.id || container.sandboxId !== sandbox.id)
      actions.push(kill(view, container, `Stopping container ${spec.name}`));
    else if (container.state === "UNKNOWN")
      actions.push(kill(view, container, `Container ${spec.name} is in unknown state, will be restarted`));
    else if (hash !== undefined && hash !== containerHash(spec)) {
      actions.push(kill(view, container, `Container ${spec.name} definition changed, will be restarted`));
    } else if (condemned !== undefined) actions.push(kill(view, container, condemned.message, condemned.graceSeconds));
    else if (container.state === "RUNNING") planResize(draft, spec, container);
  }
}

/** Gives a running container the resources that the pod was granted since it started. */
function planResize({ view, actions }: Draft, spec: ContainerSpec, container: ContainerStatus): void {
  const actual = view.actual.get(container.id);
  const changed = actual === undefined ? [] : changedResources(actual, spec.resources);
  if (changed.length === 0) return;
  if (isRestartNeeded(spec, changed)) actions.push(kill(view, container, `Container ${spec.name} resize requires restart`));
  else actions.push({ kind: "resizeContainer", key: `resize/${spec.name}`, id: container.id, name: spec.name });
}

/** Starts what init containers need; answers whether the main containers may run. */
function planInit(draft: Draft, containers: readonly RoledContainer[], at: { sandbox: SandboxStatus; hasBegun: boolean }): boolean {
  const { view } = draft;
  let isOpen = true;
  for (const container of containers) {
    const latest = latestContainer(view.runtime, container.spec.name, at.sandbox.id);
    if (container.role === "sidecar") {
      if (isOpen || latest !== undefined) planStart(draft, container, latest);
      const isUp = latest?.state === "RUNNING" && view.probes.isStarted(latest.id) && !view.busy.has(`container/${container.spec.name}`);
      if (!isUp && !at.hasBegun) isOpen = false;
    } else if (container.role === "init" && !at.hasBegun && isOpen) {
      const isDone = latest?.state === "EXITED" && latest.exitCode === 0;
      if (!isDone) planStart(draft, container, latest);
      isOpen = isDone;
    }
  }
  return isOpen || at.hasBegun;
}

function planEphemeral(draft: Draft, container: RoledContainer): void {
  const { view } = draft;
  if (latestContainer(view.runtime, container.spec.name) !== undefined) return;
  const known = view.pod.status?.ephemeralContainerStatuses?.find((status) => status.name === container.spec.name);
  if (known?.state?.terminated === undefined) planStart(draft, container, undefined);
}

function planStart(draft: Draft, container: RoledContainer, latest: ContainerStatus | undefined): void {
  const { view, actions, waiting } = draft;
  const name = container.spec.name;
  const key = `container/${name}`;
  if (isAlive(latest) || view.busy.has(key)) return;
  const hasEnded = latest?.state === "EXITED";
  if (hasEnded && !shouldRestart(view.pod, container, latest.exitCode)) return;
  const failure = view.failures.get(name);
  if (failure !== undefined && waitAfterFailure(draft, container, failure)) return;
  const backoff = view.backoffs.get(name);
  const atMs = hasEnded ? restartAt(backoff, latest.finishedAtMs, view.nowMs) : undefined;
  if (atMs !== undefined && backoff !== undefined) {
    waiting.set(name, { reason: "CrashLoopBackOff", message: crashLoopMessage(view, name, backoff.delayMs) });
    draft.wakeAtMs = Math.min(draft.wakeAtMs, atMs);
    return;
  }
  const attempt = latest === undefined ? firstAttempt(view, name) : latest.attempt + 1;
  actions.push({ kind: "startContainer", key, name, attempt, ...(hasEnded ? { endedAtMs: latest.finishedAtMs } : {}) });
}

/** Shows why the last start failed; answers whether it is too early for the next. */
function waitAfterFailure(draft: Draft, { spec }: RoledContainer, failure: StartFailure): boolean {
  const { nowMs } = draft.view;
  const { reason, message, failedAtMs, retryAtMs } = failure;
  const backOffAtMs = failedAtMs + PULL_ERROR_SHOWN_MS;
  const isBackingOff = reason === "ErrImagePull" && nowMs >= backOffAtMs;
  const backOffMessage = `Back-off pulling image "${spec.image ?? ""}": ErrImagePull: ${message}`;
  draft.waiting.set(spec.name, isBackingOff ? { reason: "ImagePullBackOff", message: backOffMessage } : { reason, message });
  // In the past it failed in the future: the clock was set back.
  if (retryAtMs <= nowMs || nowMs < failedAtMs) return false;
  draft.wakeAtMs = Math.min(draft.wakeAtMs, retryAtMs, reason === "ErrImagePull" && !isBackingOff ? backOffAtMs : retryAtMs);
  return true;
}

function crashLoopMessage(view: PodView, name: string, delayMs: number): string {
  return `back-off ${formatDuration(delayMs)} restarting failed container=${name} pod=${formatPod(view.pod)}`;
}

/** The number of a container's life that the runtime knows nothing of: the object may remember earlier ones. */
function firstAttempt(view: PodView, name: string): number {
  const older = latestContainer(view.runtime, name);
  if (older !== undefined) return older.attempt + 1;
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = view.pod.status ?? {};
  const known = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((status) => status.name === name);
  if (known === undefined) return 0;
  // Without a container the count is that of the next one already.
  return known.containerID === undefined ? known.restartCount : known.restartCount + 1;
}

function kill(
  view: PodView,
  container: ContainerStatus,
  message: string,
  graceSeconds = view.pod.spec?.terminationGracePeriodSeconds ?? 30,
): Action {
  return {
    kind: "killContainer",
    key: `container/${container.name}`,
    id: container.id,
    name: container.name,
    graceSeconds,
    message,
    isRestart: true,
  };
}
