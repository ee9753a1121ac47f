// What is taken of devices: whole ones, capacity of shared ones, and the counters that devices of a pool have in common.
// One use can stand on another, which it does not change.
import type { DeviceRequestAllocationResult } from "../../../api/types/resource/v1.ts";
import { type DeepReadonly, parseQuantity, type Quantity } from "../../../machinery/index.ts";
import { deviceId, type PoolDevice } from "./devices.ts";

type Result = DeepReadonly<DeviceRequestAllocationResult>;

/** What one allocation takes; amounts are in billionths. */
interface Demand {
  readonly id: string;
  readonly isShared: boolean;
  /** By key: how much, of how much there is. */
  readonly amounts: ReadonlyMap<string, { readonly amount: bigint; readonly limit: bigint }>;
}

export class DeviceUse {
  readonly #below: DeviceUse | undefined;
  /** Ids of devices that one allocation has for itself. */
  readonly #whole = new Set<string>();
  /** How many allocations share a device, by its id. */
  readonly #shares = new Map<string, number>();
  /** Sums by key of a capacity or counter. */
  readonly #amounts = new Map<string, bigint>();

  constructor(below?: DeviceUse) {
    this.#below = below;
  }

  /** The use by allocations; those for administrators take nothing. */
  static of(results: readonly Result[], devices: readonly PoolDevice[]): DeviceUse {
    const use = new DeviceUse();
    const byId = new Map(devices.map((device) => [device.id, device]));
    for (const result of results) {
      if (result.adminAccess === true) continue;
      const device = byId.get(deviceId(result));
      if (device === undefined) use.#whole.add(deviceId(result));
      else use.#take(use.#demandOf(device, result.shareID === undefined ? undefined : quantities(result.consumedCapacity)));
    }
    return use;
  }

  /** Takes the device, or `consumed` of it when it is shared. Answers how to give it back; undefined: it is not to be had. */
  take(device: PoolDevice, consumed: ReadonlyMap<string, Quantity>): (() => void) | undefined {
    const demand = this.#demandOf(device, device.device.allowMultipleAllocations === true ? consumed : undefined);
    if (this.#isWhole(demand.id)) return undefined;
    for (const [key, { amount, limit }] of demand.amounts) if (this.#used(key) + amount > limit) return undefined;
    this.#take(demand);
    return () => this.#giveBack(demand);
  }

  /** `consumed` is what a share takes; undefined: the whole device. The first share of a device takes its counters. */
  #demandOf({ id, driver, pool, device, counters }: PoolDevice, consumed: ReadonlyMap<string, Quantity> | undefined): Demand {
    const amounts = new Map<string, { readonly amount: bigint; readonly limit: bigint }>();
    for (const [name, quantity] of consumed ?? []) {
      const limit = parseQuantity(device.capacity?.[name]?.value ?? "0").nanoValue();
      amounts.set(`${id}#${name}`, { amount: quantity.nanoValue(), limit });
    }
    const isFurtherShare = consumed !== undefined && this.#sharesOf(id) > 0;
    for (const { counterSet, counters: wanted } of isFurtherShare ? [] : (device.consumesCounters ?? [])) {
      for (const [name, { value }] of Object.entries(wanted)) {
        const counter = `${counterSet}/${name}`;
        amounts.set(`${driver}/${pool}#${counter}`, { amount: parseQuantity(value).nanoValue(), limit: counters.get(counter) ?? 0n });
      }
    }
    return { id, isShared: consumed !== undefined, amounts };
  }

  #isWhole(id: string): boolean {
    return this.#whole.has(id) || (this.#below === undefined ? false : this.#below.#isWhole(id));
  }

  #sharesOf(id: string): number {
    return (this.#shares.get(id) ?? 0) + (this.#below === undefined ? 0 : this.#below.#sharesOf(id));
  }

  #used(key: string): bigint {
    return (this.#amounts.get(key) ?? 0n) + (this.#below === undefined ? 0n : this.#below.#used(key));
  }

  #take(demand: Demand): void {
    if (demand.isShared) this.#shares.set(demand.id, (this.#shares.get(demand.id) ?? 0) + 1);
    else this.#whole.add(demand.id);
    for (const [key, { amount }] of demand.amounts) this.#amounts.set(key, (this.#amounts.get(key) ?? 0n) + amount);
  }

  #giveBack(demand: Demand): void {
    if (demand.isShared) this.#shares.set(demand.id, (this.#shares.get(demand.id) ?? 0) - 1);
    else this.#whole.delete(demand.id);
    for (const [key, { amount }] of demand.amounts) this.#amounts.set(key, (this.#amounts.get(key) ?? 0n) - amount);
  }
}

function quantities(amounts: Readonly<Record<string, string>> = {}): ReadonlyMap<string, Quantity> {
  return new Map(Object.entries(amounts).map(([name, amount]) => [name, parseQuantity(amount)]));
}
