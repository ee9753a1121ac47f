// A PodDisruptionBudget's status: how many of its pods are healthy, how many must be, how many may go.
// @see kubernetes `pkg/controller/disruption/disruption.go`, trySync
import { getCondition, isPodTerminal, podReady } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/types/policy/v1.ts";
import { formatTime } from "../../base/index.ts";
import { type DeepReadonly, scaledValue } from "../../machinery/index.ts";

type ReadonlyBudget = DeepReadonly<PodDisruptionBudget>;
type ReadonlyPod = DeepReadonly<Pod>;

/** An evicted pod that is not deleted within this time counts again. */
const DELETION_TIMEOUT_MS = 2 * 60 * 1000;

export interface BudgetSnapshot {
  readonly budget: ReadonlyBudget;
  /** Those that the budget selects. */
  readonly pods: readonly ReadonlyPod[];
  /** The sizes that the pods' controllers ask for, summed up. */
  readonly expectedScale: number;
  readonly nowMs: number;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** Pods that were evicted and are still there. */
  readonly notDeleted: readonly ReadonlyPod[];
  /** When the next eviction is given up. */
  readonly wakeInMs: number | undefined;
}

/** Whether the budget speaks of a share of all pods: then it matters how many there should be. */
export function needsScale({ spec }: ReadonlyBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === "string";
}

export function planBudget(snapshot: BudgetSnapshot): BudgetPlan {
  const { budget, pods, nowMs } = snapshot;
  const { disruptedPods, notDeleted, wakeInMs } = disruptions(snapshot);
  const { expectedPods, desiredHealthy } = expectation(snapshot);
  const currentHealthy = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && disruptedPods[pod.metadata.name ?? ""] === undefined && podReady(pod),
  ).length;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const [reason, status] = disruptionsAllowed > 0 ? ["SufficientPods", "True"] : ["InsufficientPods", "False"];
  const condition = { status, reason, message: "", observedGeneration: budget.metadata.generation };
  return {
    status: {
      currentHealthy,
      desiredHealthy,
      expectedPods,
      disruptionsAllowed,
      ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
      ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }),
      conditions: withDisruptionAllowed(budget, condition, nowMs),
    },
    notDeleted,
    wakeInMs,
  };
}

function expectation({ budget, pods, expectedScale }: BudgetSnapshot) {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const unavailable = scaledValue(maxUnavailable, expectedScale, { roundUp: true });
    return { expectedPods: expectedScale, desiredHealthy: Math.max(0, expectedScale - unavailable) };
  }
  if (typeof minAvailable === "string")
    return { expectedPods: expectedScale, desiredHealthy: scaledValue(minAvailable, expectedScale, { roundUp: true }) };
  return minAvailable === undefined ? { expectedPods: 0, desiredHealthy: 0 } : { expectedPods: pods.length, desiredHealthy: minAvailable };
}

/** Evictions that were granted and whose pods are still to go. */
function disruptions({ budget, pods, nowMs }: BudgetSnapshot) {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: ReadonlyPod[] = [];
  let wakeInMs: number | undefined;
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const since = budget.status?.disruptedPods?.[name];
    if (since === undefined || deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(since) + DELETION_TIMEOUT_MS - nowMs;
    if (leftMs <= 0) {
      notDeleted.push(pod);
      continue;
    }
    disruptedPods[name] = since;
    wakeInMs = Math.min(wakeInMs ?? leftMs, leftMs);
  }
  return { disruptedPods, notDeleted, wakeInMs };
}

type Allowed = {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number | undefined;
};

function withDisruptionAllowed(
  { status }: ReadonlyBudget,
  wanted: Allowed,
  nowMs: number,
): NonNullable<PodDisruptionBudgetStatus["conditions"]> {
  const known = getCondition(status?.conditions, "DisruptionAllowed");
  const lastTransitionTime = known?.status === wanted.status ? known.lastTransitionTime : formatTime(nowMs);
  const { observedGeneration, ...rest } = wanted;
  const condition = {
    type: "DisruptionAllowed",
    ...rest,
    lastTransitionTime,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
  const others = (status?.conditions ?? []).filter(({ type }) => type !== "DisruptionAllowed");
  return [...others.map((each) => ({ ...each })), condition];
}

/** The status when nothing is known: no pod may go. */
export function failedStatus(budget: ReadonlyBudget, message: string, nowMs: number): PodDisruptionBudgetStatus {
  const { status = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 } } = budget;
  const condition = { status: "False", reason: "SyncFailed", message, observedGeneration: status.observedGeneration };
  return { ...(status as PodDisruptionBudgetStatus), disruptionsAllowed: 0, conditions: withDisruptionAllowed(budget, condition, nowMs) };
}

/** How long until a pod's DisruptionTarget condition is to be taken back, because nobody deletes the pod; undefined when it has none. */
export function staleDisruptionInMs(pod: ReadonlyPod, nowMs: number): number | undefined {
  const condition = getCondition(pod.status?.conditions, "DisruptionTarget");
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return undefined;
  return Math.max(0, Date.parse(condition.lastTransitionTime ?? formatTime(nowMs)) + DELETION_TIMEOUT_MS - nowMs);
}
