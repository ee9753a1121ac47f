// When pods have to leave the devices of their claims, because of NoExecute taints. Pure.
import { type DeviceRef, isPodTerminal, ruleSelects, toleratesTaint } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeviceTaint, DeviceToleration, ResourceClaim, ResourceSlice } from "../../api/types/resource/v1.ts";
import type { DeviceTaintRule } from "../../api/types/resource/v1beta2.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Rule = DeepReadonly<DeviceTaintRule>;
export type Claim = DeepReadonly<ResourceClaim>;
type Taint = DeepReadonly<DeviceTaint>;

/** A taint of a device, and the rule that put it there if it was one. */
export interface PlacedTaint {
  readonly taint: Taint;
  readonly rule?: Rule;
}

/** The taints of one device that send pods away. */
export type EvictingTaints = (device: DeviceRef) => readonly PlacedTaint[];

export interface Eviction {
  readonly atMs: number;
  /** Uids of the rules that it is due to. */
  readonly rules: ReadonlySet<string>;
}

/** `slicesOf` answers all slices of a pool; those of older generations say nothing. */
export function evictingTaints(
  slicesOf: (driver: string, pool: string) => readonly DeepReadonly<ResourceSlice>[],
  rules: readonly Rule[],
): EvictingTaints {
  return (ref) => {
    const slices = slicesOf(ref.driver, ref.pool);
    const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
    const device = slices
      .filter(({ spec }) => spec.pool.generation === newest)
      .flatMap(({ spec }) => spec.devices ?? [])
      .find(({ name }) => name === ref.device);
    const own = (device?.taints ?? []).map((taint): PlacedTaint => ({ taint }));
    const added = rules.filter((rule) => ruleSelects(rule, ref)).map((rule): PlacedTaint => ({ taint: rule.spec.taint, rule }));
    return [...own, ...added].filter(({ taint }) => taint.effect === "NoExecute");
  };
}

/** When the pod must go because of what its claims have; undefined: not at all. `claims` are those that the pod uses. */
export function podEviction(pod: DeepReadonly<Pod>, claims: readonly Claim[], taintsOf: EvictingTaints): Eviction | undefined {
  if (!pod.spec?.nodeName || isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return undefined;
  let atMs = Number.POSITIVE_INFINITY;
  const rules = new Set<string>();
  for (const { status } of claims) {
    if (!(status?.reservedFor ?? []).some(({ uid }) => uid === pod.metadata.uid)) continue;
    for (const result of status?.allocation?.devices?.results ?? []) {
      for (const { taint, rule } of taintsOf(result)) {
        const leaveMs = endOfToleration(taint, result.tolerations);
        if (leaveMs === Number.POSITIVE_INFINITY) continue;
        atMs = Math.min(atMs, leaveMs);
        if (rule !== undefined) rules.add(rule.metadata.uid ?? "");
      }
    }
  }
  return atMs === Number.POSITIVE_INFINITY ? undefined : { atMs, rules };
}

/**
 * Until when the taint is tolerated. Of several tolerations the one without an end counts, otherwise the shortest.
 * DEVIATION: to upstream's controller a toleration without an effect is none, though allocation and API take it for all effects.
 */
function endOfToleration(taint: Taint, tolerations: readonly DeepReadonly<DeviceToleration>[] = []): number {
  const sinceMs = taint.timeAdded === undefined ? 0 : Date.parse(taint.timeAdded);
  const matching = tolerations.filter((toleration) => toleratesTaint(toleration, taint));
  if (matching.length === 0) return sinceMs;
  if (matching.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return Number.POSITIVE_INFINITY;
  return sinceMs + Math.min(...matching.map(({ tolerationSeconds = 0 }) => Math.max(0, tolerationSeconds) * 1000));
}
