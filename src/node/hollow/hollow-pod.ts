// What a hollow node does about one of its pods: the status to tell, or its end. Pure.
import type { Container, ContainerStatus, PodStatus } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { isSidecar, type PodObject, shouldRestart } from "../pod/pod-object.ts";
import { qosClass } from "../resources/pod-resources.ts";
import { annotatedBehaviour, type SimulatedBehaviour } from "../runtime/simulated/behaviour.ts";
import { podConditions } from "../status/conditions.ts";
import { podPhase } from "../status/phase.ts";
import { type HollowContainer, nextContainer } from "./hollow-container.ts";

/** How containers behave before their pods' annotations have a say. */
export type HollowBehaviours = (pod: PodObject, container: string) => SimulatedBehaviour;

export interface HollowPodInput {
  readonly pod: PodObject;
  readonly behaviours: HollowBehaviours;
  readonly nowMs: number;
  readonly nodeIp: string;
  /** The pod's own address. */
  readonly podIp: string;
}

export type HollowStep =
  | { readonly type: "status"; readonly status: PodStatus; readonly wakeAtMs?: number | undefined }
  /** It has ended: the object can go. */
  | { readonly type: "remove" }
  | { readonly type: "wait"; readonly wakeAtMs?: number | undefined };

export function behaviourOf(pod: PodObject, container: string, behaviours: HollowBehaviours): SimulatedBehaviour {
  return annotatedBehaviour(behaviours(pod, container), container, pod.metadata.annotations);
}

export function playPod(input: HollowPodInput): HollowStep {
  const { pod } = input;
  if (pod.metadata.deletionTimestamp !== undefined) return endPod(input);
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") return { type: "wait" };
  return runPod(input);
}

/** It takes its stop delay, but not longer than its grace. */
function endPod({ pod, behaviours, nowMs }: HollowPodInput): HollowStep {
  const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1_000;
  const askedMs = Date.parse(pod.metadata.deletionTimestamp ?? "") - graceMs;
  const delays = (pod.spec?.containers ?? []).map(({ name }) => behaviourOf(pod, name, behaviours).stopDelayMs ?? 0);
  const endMs = askedMs + Math.min(graceMs, Math.max(0, ...delays));
  return nowMs >= endMs ? { type: "remove" } : { type: "wait", wakeAtMs: endMs };
}

function runPod(input: HollowPodInput): HollowStep {
  const { pod, nowMs, nodeIp, podIp } = input;
  const known = pod.status ?? {};
  const startTime = known.startTime ?? formatTime(nowMs);
  const init = playInit(input, Date.parse(startTime));
  const mains = init.isDone ? (pod.spec?.containers ?? []).map((spec) => playMain(input, spec, Date.parse(startTime))) : [];
  const initStatuses = init.containers.map(({ status }) => status);
  const statuses = init.isDone ? mains.map(({ status }) => status) : (pod.spec?.containers ?? []).map(pendingStatus);
  const isOver =
    mains.length > 0 && mains.every(({ status, wakeAtMs }) => status.state?.terminated !== undefined && wakeAtMs === undefined);
  const phase = podPhase({ pod, initStatuses, statuses, isOver });
  const now = formatTime(nowMs);
  const status: PodStatus = {
    phase,
    conditions: podConditions({ pod, phase, initStatuses, statuses, isSandboxReady: true, now }),
    hostIP: nodeIp,
    hostIPs: [{ ip: nodeIp }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime,
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    qosClass: qosClass(pod),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
  return { type: "status", status, wakeAtMs: earliest([...init.containers, ...mains]) };
}

/** One after the other; a sidecar goes on while the next ones run. An init container ends at once unless told otherwise. */
function playInit(
  input: HollowPodInput,
  podStartMs: number,
): { readonly containers: readonly HollowContainer[]; readonly isDone: boolean } {
  const { pod, behaviours, nowMs } = input;
  const containers: HollowContainer[] = [];
  for (const spec of pod.spec?.initContainers ?? []) {
    const behaviour = behaviourOf(pod, spec.name, behaviours);
    const isAside = isSidecar(spec);
    const played = nextContainer({
      spec,
      behaviour: isAside || behaviour.runForMs !== undefined ? behaviour : { ...behaviour, runForMs: 0 },
      known: pod.status?.initContainerStatuses?.find(({ name }) => name === spec.name),
      podStartMs,
      nowMs,
      restarts: (exitCode) => shouldRestart(pod, { spec, role: isAside ? "sidecar" : "init" }, exitCode),
    });
    const isDone = isAside ? played.status.started === true : played.status.state?.terminated?.exitCode === 0;
    containers.push(isDone && !isAside ? { ...played, status: { ...played.status, ready: true } } : played);
    if (!isDone) return { containers, isDone: false };
  }
  return { containers, isDone: true };
}

function playMain({ pod, behaviours, nowMs }: HollowPodInput, spec: DeepReadonly<Container>, podStartMs: number): HollowContainer {
  return nextContainer({
    spec,
    behaviour: behaviourOf(pod, spec.name, behaviours),
    known: pod.status?.containerStatuses?.find(({ name }) => name === spec.name),
    podStartMs,
    nowMs,
    restarts: (exitCode) => shouldRestart(pod, { spec, role: "main" }, exitCode),
  });
}

function pendingStatus({ name, image = "" }: DeepReadonly<Container>): ContainerStatus {
  return { name, image, imageID: "", restartCount: 0, ready: false, started: false, state: { waiting: { reason: "PodInitializing" } } };
}

function earliest(containers: readonly HollowContainer[]): number | undefined {
  const times = containers.flatMap(({ wakeAtMs }) => wakeAtMs ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}
