// The status of each container, from what the runtime has and what the worker plans.

import type {
  ContainerState as ApiContainerState,
  ContainerStatus as ApiContainerStatus,
  ContainerStateTerminated,
  VolumeMountStatus,
} from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { Resources } from "../pod/allocation.ts";
import type { ContainerSpec, RoledContainer } from "../pod/pod-object.ts";
import { latestContainer, type PodView } from "../pod/pod-view.ts";
import type { Waiting } from "../pod/step.ts";
import type { ContainerStatus } from "../runtime/runtime.ts";

export interface StatusInput {
  readonly view: PodView;
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** What ended containers left behind, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
}

/** Where upstream's container ids say which runtime they belong to. */
const RUNTIME_SCHEME = "containerd://";

type Known = DeepReadonly<ApiContainerStatus> | undefined;

/** The status of one container of the specification; `known` is its status as the object has it. */
export function containerStatus(container: RoledContainer, known: Known, input: StatusInput): ApiContainerStatus {
  const { spec, role } = container;
  const { view } = input;
  const latest = latestContainer(view.runtime, spec.name);
  if (latest === undefined) return unseenStatus(container, known, input);
  const previous = view.runtime.containers
    .filter(({ name, id, state }) => name === spec.name && id !== latest.id && state === "EXITED")
    .sort((a, b) => b.attempt - a.attempt)[0];
  const isStarting = view.busy.has(`container/${spec.name}`) && spec.lifecycle?.postStart !== undefined && latest.state === "RUNNING";
  const state = isStarting ? initialWaiting(view) : stateOf(latest, input);
  const lastState = previous === undefined ? (known?.lastState ?? {}) : { terminated: terminated(previous, input) };
  const isRunning = state.running !== undefined;
  const isStarted = isRunning && view.probes.isStarted(latest.id);
  const isDone = role === "init" && state.terminated?.exitCode === 0;
  const status: ApiContainerStatus = {
    name: spec.name,
    state,
    lastState: structuredClone(lastState) as ApiContainerState,
    ready: isDone || (isStarted && (role === "ephemeral" || role === "init" ? false : view.probes.isReady(latest.id))),
    restartCount: latest.attempt,
    image: latest.image,
    imageID: latest.imageRef,
    containerID: `${RUNTIME_SCHEME}${latest.id}`,
    started: role === "init" ? isRunning && isStarted : isStarted,
    ...resourcesOf(spec, isRunning, view.actual.get(latest.id)),
    ...(spec.lifecycle?.stopSignal === undefined ? {} : { stopSignal: spec.lifecycle.stopSignal }),
    ...volumeMounts(spec),
  };
  return overlayWaiting(status, input.waiting.get(spec.name));
}

function stateOf(container: ContainerStatus, input: StatusInput): ApiContainerState {
  if (container.state === "EXITED") return { terminated: terminated(container, input) };
  if (container.state === "CREATED") return initialWaiting(input.view);
  return { running: { startedAt: formatTime(container.startedAtMs) } };
}

function terminated(container: ContainerStatus, input: StatusInput): ContainerStateTerminated {
  const message = input.terminationMessages.get(container.id) ?? container.message;
  return {
    exitCode: container.exitCode,
    reason: container.reason,
    ...(message === "" ? {} : { message }),
    ...(container.startedAtMs > 0 ? { startedAt: formatTime(container.startedAtMs) } : {}),
    ...(container.finishedAtMs > 0 ? { finishedAt: formatTime(container.finishedAtMs) } : {}),
    containerID: `${RUNTIME_SCHEME}${container.id}`,
  };
}

function initialWaiting(view: PodView): ApiContainerState {
  const hasInit = (view.pod.spec?.initContainers ?? []).length > 0;
  return { waiting: { reason: hasInit ? "PodInitializing" : "ContainerCreating" } };
}

const LOST: ApiContainerState = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
  },
};

/** A container that the runtime has never had, or has forgotten. */
function unseenStatus({ spec }: RoledContainer, known: Known, input: StatusInput): ApiContainerStatus {
  const isOver = input.view.state.kind !== "running";
  if (known?.state?.terminated !== undefined) return structuredClone(known) as ApiContainerStatus;
  // It ran and is gone, as after a reboot; the next one is one more.
  const isLost = known?.state?.running !== undefined;
  const status: ApiContainerStatus = {
    name: spec.name,
    state: initialWaiting(input.view),
    lastState: isLost && !isOver ? LOST : (structuredClone(known?.lastState ?? {}) as ApiContainerState),
    ready: false,
    restartCount: (known?.restartCount ?? 0) + (isLost && !isOver ? 1 : 0),
    image: spec.image ?? "",
    imageID: "",
    started: false,
    ...volumeMounts(spec),
  };
  if (isOver && isLost) status.state = LOST;
  return overlayWaiting(status, input.waiting.get(spec.name));
}

function overlayWaiting(status: ApiContainerStatus, waiting: Waiting | undefined): ApiContainerStatus {
  if (waiting === undefined || status.state?.running !== undefined) return status;
  const { reason, message } = waiting;
  const lastState = status.state?.terminated === undefined ? status.lastState : { terminated: status.state.terminated };
  return { ...status, lastState, state: { waiting: message === "" ? { reason } : { reason, message } } };
}

/** What a running container was given; in-place resize reads it. */
function resourcesOf(
  spec: ContainerSpec,
  isRunning: boolean,
  actual: Resources = spec.resources ?? {},
): Pick<ApiContainerStatus, "allocatedResources" | "resources"> {
  if (!isRunning) return {};
  const { requests, limits } = actual;
  const granted = spec.resources?.requests;
  const resources = {
    ...(limits === undefined ? {} : { limits: { ...limits } }),
    ...(requests === undefined ? {} : { requests: { ...requests } }),
  };
  return { ...(granted === undefined ? {} : { allocatedResources: { ...granted } }), resources };
}

function volumeMounts(spec: ContainerSpec): Pick<ApiContainerStatus, "volumeMounts"> {
  const mounts = (spec.volumeMounts ?? []).map(
    ({ name, mountPath, readOnly }): VolumeMountStatus => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: "Disabled" } : {}),
    }),
  );
  return mounts.length === 0 ? {} : { volumeMounts: mounts };
}
