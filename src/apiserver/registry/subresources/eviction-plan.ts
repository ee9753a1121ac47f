// Whether a pod may be evicted now, as its disruption budgets see it.
// @see kubernetes `pkg/registry/core/pod/storage/eviction.go`
import { getCondition, podReady } from "../../../api/index.ts";
import type { Pod } from "../../../api/types/core/v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../../api/types/policy/v1.ts";
import { formatTime } from "../../../base/index.ts";
import { type DeepReadonly, forbidden, StatusError, statusError } from "../../../machinery/index.ts";

type Budget = DeepReadonly<PodDisruptionBudget>;

/** Evictions that the controller has not confirmed, after which there are no more. */
const MAX_DISRUPTED_PODS = 2000;
const RETRY_SECONDS = 10;
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

/** Pods that have ended, or never started, cost nobody anything. */
export function ignoresBudgets({ metadata, status }: DeepReadonly<Pod>): boolean {
  return metadata.deletionTimestamp !== undefined || ["Succeeded", "Failed", "Pending"].includes(status?.phase ?? "");
}

/** Whether the pod may become one that budgets count while it is being evicted. */
export function mayBecomeReady({ metadata, status }: DeepReadonly<Pod>): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

/** A pod that is not healthy takes nothing from a budget that is kept, nor from one that does not mind. */
export function isFreeOfCharge(pod: DeepReadonly<Pod>, { spec, status }: Budget): boolean {
  if (podReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** The budget's status after one more eviction. Throws the refusal. */
export function withDisruption(budget: Budget, podName: string, nowMs: number): PodDisruptionBudgetStatus {
  const { metadata, status } = budget;
  const name = metadata.name ?? "";
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessing(name);
  const allowed = status?.disruptionsAllowed ?? 0;
  const refuse = (why: string) => forbidden({ group: "policy", resource: "poddisruptionbudget" }, name, why);
  if (allowed < 0) throw refuse("pdb disruptions allowed is negative");
  if (Object.keys(status?.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    throw refuse("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (allowed === 0) throw tooManyDisruptions(exhaustedText(budget), 0);
  return {
    ...(status as PodDisruptionBudgetStatus),
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...status?.disruptedPods, [podName]: formatTime(nowMs) },
    ...(allowed === 1 ? { conditions: withoutDisruptions(budget, nowMs) } : {}),
  };
}

/** What evictions get while the controller has not seen the budget's newest state. */
export function stillProcessing(budget: string): StatusError {
  return tooManyDisruptions(`The disruption budget ${budget} is still being processed by the server.`, RETRY_SECONDS);
}

export function severalBudgets(): StatusError {
  const message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}

function exhaustedText({ metadata, status }: Budget): string {
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  const synced = status?.conditions?.find(({ type }) => type === "DisruptionAllowed");
  const cannot = `The disruption budget ${metadata.name} does not allow evicting pods currently`;
  if (synced?.reason === "SyncFailed") return `${cannot} because it failed sync: ${synced.message}`;
  if (currentHealthy > desiredHealthy) return cannot;
  return `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
}

function tooManyDisruptions(message: string, retryAfterSeconds: number): StatusError {
  const causes = [{ reason: "DisruptionBudget", message }];
  return statusError("TooManyRequests", REFUSED, { causes, ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) });
}

function withoutDisruptions({ metadata, status }: Budget, nowMs: number): NonNullable<PodDisruptionBudgetStatus["conditions"]> {
  const type = "DisruptionAllowed";
  const others = (status?.conditions ?? []).filter((condition) => condition.type !== type);
  const before = status?.conditions?.find((condition) => condition.type === type);
  const since = before?.status === "False" ? before.lastTransitionTime : formatTime(nowMs);
  const generation = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
  return [...others, { type, status: "False", reason: "InsufficientPods", message: "", lastTransitionTime: since, ...generation }];
}

/** The pod's conditions, with the one that says why it goes. */
export function evictedConditions(pod: DeepReadonly<Pod>, nowMs: number): object[] {
  const type = "DisruptionTarget";
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== type);
  const before = getCondition(pod.status?.conditions, type);
  const since = before?.status === "True" ? before.lastTransitionTime : formatTime(nowMs);
  const reason = { reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" };
  return [...others, { type, status: "True", ...reason, lastProbeTime: null, lastTransitionTime: since }];
}
