// The conditions that the node keeps on a pod.
import type { ContainerStatus, PodCondition } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { isSidecar, type PodObject } from "../pod/pod-object.ts";
import type { ResizeState } from "../pod/pod-view.ts";
import type { Phase } from "./phase.ts";

export interface ConditionInput {
  readonly pod: PodObject;
  readonly phase: Phase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** The sandbox is there and has its network. */
  readonly isSandboxReady: boolean;
  /** Why the pod had to end for the node's sake, if it had to. */
  readonly disruption?: string | undefined;
  readonly resize?: ResizeState;
  /** A container does not have yet what it was granted. */
  readonly isResizing?: boolean;
  /** metav1.Time */
  readonly now: string;
}

/** The conditions that the node writes; all others are someone else's. */
export const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
  "PodResizePending",
  "PodResizeInProgress",
]);

const TERMINATION_BY_KUBELET = "TerminationByKubelet";

type Draft = Omit<PodCondition, "lastTransitionTime">;

const TRUE = { status: "True" } as const;

/** All conditions of the object, with the node's own brought up to date. */
export function podConditions(input: ConditionInput): PodCondition[] {
  const { pod, now } = input;
  const known = pod.status?.conditions ?? [];
  const containersReady = containersReadyCondition(input);
  const own: Draft[] = [
    { type: "PodReadyToStartContainers", status: input.isSandboxReady ? "True" : "False" },
    initializedCondition(input),
    readyCondition(input, containersReady),
    { ...containersReady, type: "ContainersReady" },
  ];
  own.push({ type: "PodScheduled", ...TRUE });
  own.push(...resizeConditions(input));
  if (input.disruption !== undefined) own.push(disruptionCondition(input.disruption));
  const generation = pod.metadata.generation;
  const updated = own.map((draft): PodCondition => {
    const before = known.find(({ type }) => type === draft.type);
    const lastTransitionTime = before?.status === draft.status ? before.lastTransitionTime : now;
    return { ...draft, lastTransitionTime, ...(generation === undefined ? {} : { observedGeneration: generation }) };
  });
  const others = known.filter(({ type }) => !OWN_CONDITIONS.has(type) && !own.some((draft) => draft.type === type));
  return [...updated, ...others.map((condition) => ({ ...condition }))];
}

function disruptionCondition(message: string): Draft {
  return { type: "DisruptionTarget", ...TRUE, reason: TERMINATION_BY_KUBELET, message };
}

/** Whether the node writes this condition. */
export function isOwnCondition({ type, reason }: Pick<PodCondition, "type" | "reason">): boolean {
  return OWN_CONDITIONS.has(type) || (type === "DisruptionTarget" && reason === TERMINATION_BY_KUBELET);
}

/** Present only while a resize is under way. */
function resizeConditions({ resize = {}, isResizing = false }: ConditionInput): Draft[] {
  const { pending, error } = resize;
  const drafts: Draft[] = pending === undefined ? [] : [{ type: "PodResizePending", ...TRUE, ...pending }];
  if (!isResizing) return drafts;
  const failure = error === undefined ? {} : { reason: "Error", message: error };
  return [...drafts, { type: "PodResizeInProgress", ...TRUE, ...failure }];
}

function nameList(names: readonly string[]): string {
  return `[${names.join(" ")}]`;
}

function initializedCondition({ pod, phase, initStatuses, statuses }: ConditionInput): Draft {
  const type = "Initialized";
  const specs = pod.spec?.initContainers ?? [];
  if (phase === "Succeeded") return { type, ...TRUE, reason: "PodCompleted" };
  const hasBegun = statuses.some(({ state, lastState }) => (state?.running ?? state?.terminated ?? lastState?.terminated) !== undefined);
  if (specs.length === 0 || hasBegun) return { type, ...TRUE };
  const incomplete: string[] = [];
  const unknown: string[] = [];
  for (const spec of specs) {
    const status = initStatuses.find(({ name }) => name === spec.name);
    if (status === undefined) unknown.push(spec.name);
    else if (isSidecar(spec) ? status.started !== true : !status.ready) incomplete.push(spec.name);
  }
  if (phase === "Failed" && incomplete.length === 0 && unknown.length === 0) return { type, status: "False", reason: "PodFailed" };
  return statusCondition(type, "ContainersNotInitialized", { unknown, bad: incomplete, word: "incomplete" });
}

function statusCondition(
  type: string,
  reason: string,
  lists: { readonly unknown: readonly string[]; readonly bad: readonly string[]; readonly word: string },
): Draft {
  const parts: string[] = [];
  if (lists.unknown.length > 0) parts.push(`containers with unknown status: ${nameList(lists.unknown)}`);
  if (lists.bad.length > 0) parts.push(`containers with ${lists.word} status: ${nameList(lists.bad)}`);
  return parts.length === 0 ? { type, ...TRUE } : { type, status: "False", reason, message: parts.join(", ") };
}

function containersReadyCondition({ pod, phase, initStatuses, statuses }: ConditionInput): Draft {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const unknown: string[] = [];
  const bad: string[] = [];
  const specs = [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])];
  for (const { name } of specs) {
    const status = [...initStatuses, ...statuses].find((candidate) => candidate.name === name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) bad.push(name);
  }
  return statusCondition(type, "ContainersNotReady", { unknown, bad, word: "unready" });
}

function readyCondition({ pod }: ConditionInput, containersReady: Draft): Draft {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => gateMessage(pod, conditionType));
  if (messages.length === 0) return { type: "Ready", ...TRUE };
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function gateMessage(pod: PodObject, gate: string): string[] {
  const condition: DeepReadonly<PodCondition> | undefined = pod.status?.conditions?.find(({ type }) => type === gate);
  if (condition === undefined) return [`corresponding condition of pod readiness gate "${gate}" does not exist.`];
  if (condition.status === "True") return [];
  return [`the status of pod readiness gate "${gate}" is not "True", but ${condition.status}`];
}
