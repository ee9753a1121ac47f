// Writes chosen devices down as claims' allocations. Pure.
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClass,
  DeviceRequestAllocationResult,
} from "../../../api/types/resource/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { Choice, Claim } from "./allocator.ts";
import { commonNodeSelector } from "./devices.ts";

export interface AllocationOptions {
  /** Where the claim is used first. */
  readonly nodeName: string;
  readonly allocationTimestamp: string;
  /** Tells the shares of a device from one another. */
  newShareId(): string;
  deviceClass(name: string): DeepReadonly<DeviceClass> | undefined;
}

/** `choices` are those for all claims. */
export function allocationOf(claim: Claim, choices: readonly Choice[], options: AllocationOptions): DeepReadonly<AllocationResult> {
  const own = choices.filter((choice) => choice.claim === claim);
  const config = configOf(claim, own, options);
  const nodeSelector = commonNodeSelector(
    own.map(({ device }) => device),
    options.nodeName,
  );
  const devices = { results: own.map((choice) => resultOf(choice, options)), ...(config.length === 0 ? {} : { config }) };
  const hasBindingConditions = own.some(({ device }) => (device.device.bindingConditions ?? []).length > 0);
  return {
    devices,
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(hasBindingConditions ? { allocationTimestamp: options.allocationTimestamp } : {}),
  };
}

function resultOf(
  { alternative, device, consumed }: Choice,
  { newShareId }: AllocationOptions,
): DeepReadonly<DeviceRequestAllocationResult> {
  const { bindingConditions = [], bindingFailureConditions = [], allowMultipleAllocations = false } = device.device;
  const consumedEntries = [...consumed].map(([name, quantity]) => [name, quantity.toString()]);
  return {
    request: alternative.name,
    driver: device.driver,
    pool: device.pool,
    device: device.device.name,
    ...(alternative.adminAccess ? { adminAccess: true } : {}),
    ...(alternative.tolerations.length === 0 ? {} : { tolerations: alternative.tolerations }),
    ...(bindingConditions.length === 0 ? {} : { bindingConditions }),
    ...(bindingFailureConditions.length === 0 ? {} : { bindingFailureConditions }),
    ...(allowMultipleAllocations ? { shareID: newShareId() } : {}),
    ...(allowMultipleAllocations && consumed.size > 0 ? { consumedCapacity: Object.fromEntries(consumedEntries) } : {}),
  };
}

function configOf(claim: Claim, own: readonly Choice[], { deviceClass }: AllocationOptions): DeepReadonly<DeviceAllocationConfiguration>[] {
  const classes = new Map(own.map(({ alternative }) => [alternative.name, alternative.className]));
  const config: DeepReadonly<DeviceAllocationConfiguration>[] = [];
  for (const [name, className] of classes) {
    for (const each of deviceClass(className)?.spec.config ?? []) config.push({ source: "FromClass", requests: [name], ...each });
  }
  for (const each of claim.spec.devices?.config ?? []) config.push({ source: "FromClaim", ...each });
  return config;
}
