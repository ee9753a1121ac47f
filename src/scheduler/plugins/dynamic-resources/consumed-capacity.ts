// How much of a device's capacities a request takes: what it asks for, rounded up as the device's policies say. Pure.
import type { CapacityRequestPolicy, DeviceCapacity } from "../../../api/types/resource/v1.ts";
import { type DeepReadonly, parseQuantity, Quantity } from "../../../machinery/index.ts";
import type { PoolDevice } from "./devices.ts";

type Policy = DeepReadonly<CapacityRequestPolicy>;
type Requests = Readonly<Record<string, string>>;

/** By the names that the device gives its capacities; undefined: the device cannot serve the request. */
export function consumedCapacity(requests: Requests = {}, { driver, device }: PoolDevice): ReadonlyMap<string, Quantity> | undefined {
  const capacities = device.capacity ?? {};
  const asked = new Map<string, string>();
  for (const [name, amount] of Object.entries(requests)) {
    const found = nameOf(name, driver, capacities);
    if (found === undefined) return undefined;
    asked.set(found, amount);
  }
  const consumed = new Map<string, Quantity>();
  for (const [name, capacity] of Object.entries(capacities)) {
    const amount = amountOf(asked.get(name), capacity);
    if (amount === undefined || amount.compare(parseQuantity(capacity.value)) > 0) return undefined;
    consumed.set(name, amount);
  }
  return consumed;
}

/** The driver's own names stand with or without its domain. */
function nameOf(name: string, driver: string, capacities: Readonly<Record<string, unknown>>): string | undefined {
  const candidates = [name, name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : `${driver}/${name}`];
  return candidates.find((candidate) => Object.hasOwn(capacities, candidate));
}

function amountOf(asked: string | undefined, { value, requestPolicy }: DeepReadonly<DeviceCapacity>): Quantity | undefined {
  if (asked === undefined) return parseQuantity(requestPolicy?.default ?? value);
  const wanted = parseQuantity(asked);
  return requestPolicy === undefined ? wanted : roundUp(wanted, requestPolicy);
}

/** The smallest amount that the policy allows and that is enough; undefined when there is none. */
function roundUp(wanted: Quantity, { validRange, validValues }: Policy): Quantity | undefined {
  if (validValues !== undefined) return validValues.map(parseQuantity).find((value) => value.compare(wanted) >= 0);
  if (validRange?.min === undefined) return wanted;
  const min = parseQuantity(validRange.min);
  const rounded = wanted.compare(min) <= 0 ? min : stepped(wanted, min, validRange.step);
  return validRange.max !== undefined && rounded.compare(parseQuantity(validRange.max)) > 0 ? undefined : rounded;
}

function stepped(wanted: Quantity, min: Quantity, step: string | undefined): Quantity {
  const size = step === undefined ? 0n : parseQuantity(step).nanoValue();
  if (size <= 0n) return wanted;
  const above = wanted.nanoValue() - min.nanoValue();
  return new Quantity(min.nanoValue() + ((above + size - 1n) / size) * size, min.format);
}
