// What the step function and the status see of a pod: its object, what the runtime has of it, and what the worker remembers.
import type { ContainerStatus, RuntimePod, SandboxStatus } from "../runtime/runtime.ts";
import type { Resources } from "./allocation.ts";
import type { PodObject } from "./pod-object.ts";
import type { RestartBackoff } from "./restart-backoff.ts";

/** Why a pod ended other than by its containers' own end. */
export interface EndCause {
  readonly phase: "Failed";
  readonly reason: string;
  readonly message: string;
  /** Ended for the node's sake: the pod gets the condition DisruptionTarget. */
  readonly isDisruption?: boolean;
}

export type WorkerState =
  /** Containers are kept as the specification says. A failure is retried after a while. */
  | { readonly kind: "running" }
  /** Containers are being stopped, nothing starts. A failed stop is retried. */
  | { readonly kind: "terminating"; readonly sinceMs: number; readonly graceSeconds: number; readonly cause?: EndCause | undefined }
  /** Nothing runs any more; volumes and cgroup are being removed. */
  | { readonly kind: "terminated"; readonly cause?: EndCause | undefined }
  /** Nothing is left but dead containers and their logs; these go with the object. */
  | { readonly kind: "finished"; readonly cause?: EndCause | undefined };

/** A container that could not be started: its waiting state, and when to try again. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
  readonly failedAtMs: number;
  readonly retryAtMs: number;
}

export interface ProbeVerdicts {
  /** Whether the startup probe has succeeded, or there is none. */
  isStarted(containerId: string): boolean;
  /** Whether the readiness probe succeeds, or there is none. */
  isReady(containerId: string): boolean;
}

/** New resources that the node has not granted yet. */
export interface PendingResize {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

export interface ResizeState {
  readonly pending?: PendingResize | undefined;
  /** Why the last attempt to give a container its resources failed. */
  readonly error?: string | undefined;
}

/** A container that a probe has given up. */
export interface Condemned {
  readonly message: string;
  /** The probe's own grace, when it has one: shorter or longer than the pod's. */
  readonly graceSeconds?: number | undefined;
}

export interface PodView {
  /** With the resources that the node has granted, which may be older than the specification's. */
  readonly pod: PodObject;
  readonly nowMs: number;
  readonly runtime: RuntimePod;
  /** Ids of sandboxes that this agent has stopped. One that merely is not ready may hold processes and addresses. */
  readonly stopped: ReadonlySet<string>;
  readonly state: WorkerState;
  /** The object is gone from the API. */
  readonly isOrphan: boolean;
  readonly hasVolumes: boolean;
  /** Keys of actions under way. */
  readonly busy: ReadonlySet<string>;
  /** When an action that failed may be tried again, by its key. */
  readonly retryAtMs: ReadonlyMap<string, number>;
  readonly backoffs: ReadonlyMap<string, RestartBackoff>;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly probes: ProbeVerdicts;
  /** Containers that must be killed and started again, by container id. */
  readonly condemned: ReadonlyMap<string, Condemned>;
  /** What containers have now where it is known, by container id. */
  readonly actual: ReadonlyMap<string, Resources>;
  /** What the pod's group has of the resources of the pod as a whole; undefined while nobody knows. */
  readonly groupResources: Resources | undefined;
  readonly resize: ResizeState;
}

/** The sandbox in which containers run or are to be started. */
export function currentSandbox(runtime: RuntimePod): SandboxStatus | undefined {
  const newest = runtime.sandboxes[0];
  return newest?.state === "READY" ? newest : undefined;
}

/** Whether nothing of the pod is left in the runtime but what is dead. */
export function isDown({ runtime, stopped }: Pick<PodView, "runtime" | "stopped">): boolean {
  return !runtime.containers.some(isAlive) && runtime.sandboxes.every(({ id, state }) => state === "NOTREADY" && stopped.has(id));
}

/** The newest container of that name; `sandboxId` restricts it to one sandbox. */
export function latestContainer(runtime: RuntimePod, name: string, sandboxId?: string): ContainerStatus | undefined {
  let latest: ContainerStatus | undefined;
  for (const container of runtime.containers) {
    if (container.name !== name || (sandboxId !== undefined && container.sandboxId !== sandboxId)) continue;
    if (latest === undefined || isNewer(container, latest)) latest = container;
  }
  return latest;
}

function isNewer(a: ContainerStatus, b: ContainerStatus): boolean {
  return a.attempt === b.attempt ? a.createdAtMs > b.createdAtMs : a.attempt > b.attempt;
}

/** Started and not ended; a state that the runtime does not know counts, because it must be killed. */
export function isAlive(container: ContainerStatus | undefined): boolean {
  return container?.state === "RUNNING" || container?.state === "UNKNOWN";
}
