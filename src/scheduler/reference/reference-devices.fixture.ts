// Allocation of devices once more, plain and slow: every combination is made, and each judged by counting all that it takes.
import type { Device, DeviceRequest, ExactDeviceRequest, ResourceSlice } from "../../api/types/resource/v1.ts";
import { quantityValue } from "../../machinery/index.ts";

export interface ReferenceAllocation {
  readonly request: string;
  readonly device: string;
  readonly adminAccess: boolean;
  /** Of a shared device, by name of the capacity. */
  readonly consumed: Readonly<Record<string, number>>;
}

/** Requests of one claim against the devices of one pool on one node; selectors and classes are not looked at. */
export interface ReferenceCase {
  readonly slice: ResourceSlice["spec"];
  readonly taken: readonly ReferenceAllocation[];
  readonly requests: readonly DeviceRequest[];
}

/** All ways to satisfy the requests. */
export function referenceAllocations(given: ReferenceCase): ReferenceAllocation[][] {
  const ways = given.requests.map((request) => alternatives(request).flatMap(({ name, exact }) => waysToChoose(given, name, exact)));
  const all = ways.reduce<ReferenceAllocation[][]>((some, next) => some.flatMap((way) => next.map((more) => [...way, ...more])), [[]]);
  return all.filter((way) => isAllowed(given, way));
}

function alternatives({ name, exactly, firstAvailable = [] }: DeviceRequest): { name: string; exact: ExactDeviceRequest }[] {
  if (exactly !== undefined) return [{ name, exact: exactly }];
  return firstAvailable.map((each) => ({ name: `${name}/${each.name}`, exact: each }));
}

/** Sets of devices of the wanted size that each could serve the request if nobody had them. */
function waysToChoose({ slice }: ReferenceCase, request: string, exact: ExactDeviceRequest): ReferenceAllocation[][] {
  const devices = slice.devices ?? [];
  const size = exact.allocationMode === "All" ? devices.length : (exact.count ?? 1);
  if (size === 0) return [];
  return subsets(devices)
    .filter((some) => some.length === size && some.every((device) => serves(device, exact)))
    .map((some) =>
      some.map((device) => ({ request, device: device.name, adminAccess: exact.adminAccess === true, consumed: shareOf(device, exact) })),
    );
}

function subsets<T>(items: readonly T[]): T[][] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  return subsets(rest).flatMap((some) => [[first, ...some], some]);
}

function serves(device: Device, { tolerations = [], capacity }: ExactDeviceRequest): boolean {
  const isKept = (device.taints ?? []).some(({ key, effect }) => effect !== "None" && !tolerations.some((each) => each.key === key));
  const names = Object.keys(capacity?.requests ?? {});
  return !isKept && names.every((name) => amountOf(device, name, capacity?.requests) !== undefined);
}

/** What is taken of a capacity; undefined: more than there may be. */
function amountOf(device: Device, name: string, requests: Readonly<Record<string, string>> = {}): number | undefined {
  const published = device.capacity?.[name];
  if (published === undefined) return undefined;
  const { default: standard, validValues, validRange } = published.requestPolicy ?? {};
  const asked = requests[name];
  if (asked === undefined) return quantityValue(standard ?? published.value);
  let amount: number | undefined = quantityValue(asked);
  if (validValues !== undefined) amount = validValues.map(quantityValue).find((value) => value >= quantityValue(asked));
  if (validRange?.min !== undefined) {
    const step = validRange.step === undefined ? 1 : quantityValue(validRange.step);
    amount = quantityValue(validRange.min);
    while (amount < quantityValue(asked)) amount += step;
    if (validRange.max !== undefined && amount > quantityValue(validRange.max)) return undefined;
  }
  return amount === undefined || amount > quantityValue(published.value) ? undefined : amount;
}

function shareOf(device: Device, { capacity }: ExactDeviceRequest): Record<string, number> {
  const names = device.allowMultipleAllocations === true ? Object.keys(device.capacity ?? {}) : [];
  return Object.fromEntries(names.map((name) => [name, amountOf(device, name, capacity?.requests) ?? Number.POSITIVE_INFINITY]));
}

function isAllowed({ slice, taken }: ReferenceCase, way: readonly ReferenceAllocation[]): boolean {
  const all = [...taken, ...way].filter(({ adminAccess }) => !adminAccess);
  const admin = way.filter(({ adminAccess }) => adminAccess);
  const devices = slice.devices ?? [];
  const allocationsOf = ({ name }: Device) => all.filter(({ device }) => device === name);
  const isWithin = (device: Device) => {
    const own = allocationsOf(device);
    if (device.allowMultipleAllocations !== true) return own.length <= 1;
    return Object.entries(device.capacity ?? {}).every(
      ([name, { value }]) => own.reduce((sum, { consumed }) => sum + (consumed[name] ?? 0), 0) <= quantityValue(value),
    );
  };
  const used = devices.filter((device) => allocationsOf(device).length > 0);
  const areCountersEnough = (slice.sharedCounters ?? []).every((set) =>
    Object.entries(set.counters).every(([name, { value }]) => {
      const taking = used.flatMap(({ consumesCounters = [] }) => consumesCounters.filter(({ counterSet }) => counterSet === set.name));
      return taking.reduce((sum, { counters }) => sum + quantityValue(counters[name]?.value ?? "0"), 0) <= quantityValue(value);
    }),
  );
  const isOnce = admin.every((each) => way.filter(({ device }) => device === each.device).length === 1);
  return devices.every(isWithin) && areCountersEnough && isOnce;
}
