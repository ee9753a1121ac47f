// The taints of devices: those that drivers publish, and those that DeviceTaintRules add.
import type { DeepReadonly } from "../../machinery/index.ts";
import type { DeviceTaint } from "../types/resource/v1.ts";
import type { DeviceTaintRule } from "../types/resource/v1beta2.ts";

/** What tells a device from all others. */
export interface DeviceRef {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

/** Without a selector a rule is for no device, with an empty one for all. */
export function ruleSelects({ spec: { deviceSelector } }: DeepReadonly<DeviceTaintRule>, { driver, pool, device }: DeviceRef): boolean {
  if (deviceSelector === undefined) return false;
  return (
    (deviceSelector.driver ?? driver) === driver && (deviceSelector.pool ?? pool) === pool && (deviceSelector.device ?? device) === device
  );
}

/** The device's own taints, then those of the rules. */
export function taintsOfDevice(
  ref: DeviceRef,
  own: readonly DeepReadonly<DeviceTaint>[] = [],
  rules: readonly DeepReadonly<DeviceTaintRule>[] = [],
): readonly DeepReadonly<DeviceTaint>[] {
  const added = rules.filter((rule) => ruleSelects(rule, ref));
  return added.length === 0 ? own : [...own, ...added.map(({ spec }) => spec.taint)];
}
