// One container that is only played: its next status from its last one. Pure; all it remembers is the status itself.
import type { Container, ContainerStatus } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { SimulatedBehaviour } from "../runtime/simulated/behaviour.ts";

export interface HollowContainerInput {
  readonly spec: DeepReadonly<Container>;
  readonly behaviour: SimulatedBehaviour;
  /** The last status; undefined before the first. */
  readonly known: DeepReadonly<ContainerStatus> | undefined;
  /** When the pod was first seen by its node. */
  readonly podStartMs: number;
  readonly nowMs: number;
  /** Whether an end is followed by another start. */
  restarts(exitCode: number): boolean;
}

export interface HollowContainer {
  readonly status: ContainerStatus;
  /** When the next thing will happen; undefined: nothing will. */
  readonly wakeAtMs?: number | undefined;
}

const FIRST_BACKOFF_MS = 10_000;
const MOST_BACKOFF_MS = 300_000;

export function nextContainer(input: HollowContainerInput): HollowContainer {
  const { known, nowMs } = input;
  const terminated = known?.state?.terminated;
  if (known?.state?.running?.startedAt !== undefined) return running(input, Date.parse(known.state.running.startedAt));
  if (terminated !== undefined && !input.restarts(terminated.exitCode)) return { status: known as ContainerStatus };
  const startAtMs = startTime(input);
  return nowMs < startAtMs ? waiting(input, startAtMs) : running(input, nowMs, isRestart(input));
}

function isRestart({ known }: HollowContainerInput): boolean {
  return (known?.state?.terminated ?? known?.lastState?.terminated) !== undefined;
}

/** Restarts are delayed as kubelet delays them: not at all, then 10 s doubling to five minutes. */
function startTime({ known, podStartMs, behaviour: { startDelayMs = 0 } }: HollowContainerInput): number {
  const ended = known?.state?.terminated ?? known?.lastState?.terminated;
  if (ended === undefined) return podStartMs + startDelayMs;
  const restarts = known?.restartCount ?? 0;
  const backoffMs = restarts === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (restarts - 1), MOST_BACKOFF_MS);
  return Date.parse(ended.finishedAt ?? "") + backoffMs + startDelayMs;
}

function waiting(input: HollowContainerInput, wakeAtMs: number): HollowContainer {
  const ended = input.known?.state?.terminated;
  const reason = isRestart(input) ? "CrashLoopBackOff" : "ContainerCreating";
  const lastState = ended === undefined ? (input.known?.lastState ?? {}) : { terminated: { ...ended } };
  return { status: { ...base(input), state: { waiting: { reason } }, lastState, ready: false, started: false }, wakeAtMs };
}

function running(input: HollowContainerInput, startedMs: number, isAgain = false): HollowContainer {
  const { known, behaviour, nowMs } = input;
  const { runForMs, readyAfterMs = 0, exitCode = 0 } = behaviour;
  const endMs = runForMs === undefined ? Number.POSITIVE_INFINITY : startedMs + runForMs;
  const ended = known?.state?.terminated;
  const lastState = ended === undefined ? (known?.lastState ?? {}) : { terminated: { ...ended } };
  const restartCount = (known?.restartCount ?? 0) + (isAgain ? 1 : 0);
  const common = { ...base(input), lastState, restartCount };
  if (nowMs >= endMs) {
    const times = { startedAt: formatTime(startedMs), finishedAt: formatTime(endMs) };
    const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", ...times, containerID: common.containerID };
    const wakeAtMs = input.restarts(exitCode) ? nowMs : undefined;
    return { status: { ...common, state: { terminated }, ready: false, started: false }, wakeAtMs };
  }
  const isReady = nowMs >= startedMs + readyAfterMs;
  const wakeAtMs = Math.min(endMs, isReady ? endMs : startedMs + readyAfterMs);
  return {
    status: { ...common, state: { running: { startedAt: formatTime(startedMs) } }, ready: isReady, started: true },
    wakeAtMs: Number.isFinite(wakeAtMs) ? wakeAtMs : undefined,
  };
}

function base({ spec, known }: HollowContainerInput) {
  const image = spec.image ?? "";
  return {
    name: spec.name,
    image,
    imageID: `hollow://${image}`,
    containerID: known?.containerID ?? `hollow://${spec.name}`,
    restartCount: known?.restartCount ?? 0,
  };
}
