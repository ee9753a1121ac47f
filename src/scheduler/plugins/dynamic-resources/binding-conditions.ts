// Devices that must be prepared before a pod is bound: their drivers say in the claim's status when they are. Pure.
import type { DeviceRequestAllocationResult } from "../../../api/types/resource/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { Claim } from "./allocator.ts";

/** How long drivers have. */
const BINDING_TIMEOUT_MS = 600_000;

export type BindingProgress =
  | { readonly state: "ready" }
  /** Until `deadlineMs`, by the wall clock. */
  | { readonly state: "waiting"; readonly deadlineMs: number }
  | { readonly state: "failed"; readonly why: string };

/** How far the devices of an allocated claim are. */
export function bindingProgress(claim: Claim, nowMs: number): BindingProgress {
  const { allocation } = claim.status ?? {};
  const { name } = claim.metadata;
  let isReady = true;
  for (const result of allocation?.devices?.results ?? []) {
    if ((result.bindingConditions ?? []).length === 0) continue;
    const conditions = conditionsOf(claim, result);
    const failed = conditions.find(({ type, status }) => status === "True" && result.bindingFailureConditions?.includes(type) === true);
    if (failed !== undefined) {
      return { state: "failed", why: `claim ${name} binding failed: reason=${failed.reason}, message=${JSON.stringify(failed.message)}` };
    }
    const isTrue = (wanted: string) => conditions.some(({ type, status }) => type === wanted && status === "True");
    isReady &&= result.bindingConditions?.every(isTrue) === true;
  }
  if (isReady) return { state: "ready" };
  const deadlineMs = Date.parse(allocation?.allocationTimestamp ?? "") + BINDING_TIMEOUT_MS;
  return nowMs > deadlineMs ? { state: "failed", why: `claim ${name} binding timeout` } : { state: "waiting", deadlineMs };
}

function conditionsOf({ status }: Claim, { driver, pool, device, shareID }: DeepReadonly<DeviceRequestAllocationResult>) {
  const told = status?.devices?.find(
    (each) => each.driver === driver && each.pool === pool && each.device === device && each.shareID === shareID,
  );
  return told?.conditions ?? [];
}
