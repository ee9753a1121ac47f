// A pod's whole status as the node sees it. Pure.
import type { ContainerStatus, PodStatus } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { changedResources } from "../pod/allocation.ts";
import { allContainers, type ContainerRole } from "../pod/pod-object.ts";
import { currentSandbox, isAlive, latestContainer, type PodView } from "../pod/pod-view.ts";
import { qosClass } from "../resources/pod-resources.ts";
import { podConditions } from "./conditions.ts";
import { containerStatus, type StatusInput } from "./container-statuses.ts";
import { type Phase, podPhase } from "./phase.ts";

export interface PodStatusInput extends StatusInput {
  /** The node's addresses, one per family. */
  readonly nodeIps: readonly string[];
}

/** The status to report now. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, state, nowMs, resize } = input.view;
  const known = pod.status ?? {};
  const initStatuses = statusesOf(input, ["init", "sidecar"], known.initContainerStatuses);
  const statuses = statusesOf(input, ["main"], known.containerStatuses);
  const ephemeral = statusesOf(input, ["ephemeral"], known.ephemeralContainerStatuses);
  const cause = state.kind === "running" ? undefined : state.cause;
  const disruption = cause?.isDisruption === true ? cause.message : undefined;
  const isOver = state.kind === "terminated" || state.kind === "finished";
  const phase = settledPhase(known.phase, cause?.phase ?? podPhase({ pod, initStatuses, statuses, isOver }));
  const sandbox = currentSandbox(runtime);
  const isHostNetwork = pod.spec?.hostNetwork === true;
  const isSandboxReady = sandbox !== undefined && (isHostNetwork || sandbox.ips.length > 0);
  const podIps = isHostNetwork ? input.nodeIps : (runtime.sandboxes[0]?.ips ?? []);
  const now = formatTime(nowMs);
  return {
    phase,
    conditions: podConditions({
      pod,
      phase,
      initStatuses,
      statuses,
      isSandboxReady,
      resize,
      isResizing: isResizing(input.view),
      disruption,
      now,
    }),
    ...reasonOf(cause, known),
    hostIP: input.nodeIps[0],
    hostIPs: input.nodeIps.map((ip) => ({ ip })),
    ...addresses(podIps, known, isOver || runtime.containers.some(isAlive)),
    startTime: known.startTime ?? now,
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    ...wholeResources(input.view),
    qosClass: qosClass(pod),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
}

/** What the pod as a whole was granted and has, when it asks for something as a whole. */
function wholeResources({ pod, groupResources }: PodView): Pick<PodStatus, "allocatedResources" | "resources"> {
  const granted = pod.spec?.resources;
  if (granted === undefined) return {};
  const { requests = {}, limits = {} } = groupResources ?? granted;
  return { allocatedResources: { ...granted.requests }, resources: { requests: { ...requests }, limits: { ...limits } } };
}

/** Whether the pod's group or a running container has other resources than it was granted. */
function isResizing({ pod, runtime, actual, groupResources }: PodView): boolean {
  if (groupResources !== undefined && changedResources(groupResources, pod.spec?.resources).length > 0) return true;
  return allContainers(pod).some(({ spec }) => {
    const latest = latestContainer(runtime, spec.name);
    const has = latest?.state === "RUNNING" ? actual.get(latest.id) : undefined;
    return has !== undefined && changedResources(has, spec.resources).length > 0;
  });
}

/** An ended pod never comes back to life. */
function settledPhase(known: string | undefined, phase: Phase): Phase {
  return known === "Succeeded" || known === "Failed" ? known : phase;
}

function reasonOf(cause: { readonly reason: string; readonly message: string } | undefined, known: DeepReadonly<PodStatus>) {
  const { reason, message } = cause ?? known;
  return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

/** The addresses of the sandbox; those of one that is gone stay until a new one comes. */
function addresses(ips: readonly string[], known: DeepReadonly<PodStatus>, canKeep: boolean): Pick<PodStatus, "podIP" | "podIPs"> {
  const all = ips.length === 0 && canKeep ? (known.podIPs ?? []).map(({ ip }) => ip) : ips;
  return all.length === 0 ? {} : { podIP: all[0], podIPs: all.map((ip) => ({ ip })) };
}

function statusesOf(
  input: PodStatusInput,
  roles: readonly ContainerRole[],
  known: DeepReadonly<ContainerStatus[]> | undefined,
): ContainerStatus[] {
  return allContainers(input.view.pod)
    .filter(({ role }) => roles.includes(role))
    .map((container) =>
      containerStatus(
        container,
        known?.find(({ name }) => name === container.spec.name),
        input,
      ),
    );
}
