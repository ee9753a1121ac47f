// Chooses devices for claims: the first combination, in the order of pools and devices, that satisfies all requests and
// constraints. Pure.
import { toleratesTaint } from "../../../api/index.ts";
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClass,
  DeviceRequestAllocationResult,
  DeviceSelector,
  DeviceToleration,
  ResourceClaim,
} from "../../../api/types/resource/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import { attributeOf, selectsDevice } from "./device-selectors.ts";
import { commonNodeSelector, type PoolDevice } from "./devices.ts";

export type Claim = DeepReadonly<ResourceClaim>;

export interface AllocatorInput {
  readonly claims: readonly Claim[];
  /** Those that are usable on the node. */
  readonly devices: readonly PoolDevice[];
  /** Ids of devices that other claims have. */
  readonly inUse: ReadonlySet<string>;
  deviceClass(name: string): DeepReadonly<DeviceClass> | undefined;
}

/** One way to satisfy a request. */
interface Alternative {
  /** `request`, or `request/subrequest`. */
  readonly name: string;
  readonly className: string;
  readonly selectors: readonly DeepReadonly<DeviceSelector>[];
  readonly tolerations: readonly DeepReadonly<DeviceToleration>[];
  /** Undefined: all devices that match. */
  readonly count: number | undefined;
  readonly adminAccess: boolean;
}

interface Choice {
  readonly claim: Claim;
  readonly alternative: Alternative;
  readonly device: PoolDevice;
}

/** Combinations tried before the search gives up. */
const MAX_STEPS = 100_000;

/** An allocation for each claim, in their order; undefined when there is none. Throws the errors of selectors. */
export function allocate(input: AllocatorInput): DeepReadonly<AllocationResult>[] | undefined {
  const search = new Search(input);
  const choices = search.run();
  return choices === undefined ? undefined : input.claims.map((claim) => allocationOf(claim, choices, input));
}

class Search {
  readonly #input: AllocatorInput;
  readonly #requests: readonly { readonly claim: Claim; readonly alternatives: readonly Alternative[] }[];
  readonly #chosen: Choice[] = [];
  readonly #taken: Set<string>;
  #steps = 0;

  constructor(input: AllocatorInput) {
    this.#input = input;
    this.#taken = new Set(input.inUse);
    this.#requests = input.claims.flatMap((claim) =>
      (claim.spec.devices?.requests ?? []).map((request) => ({ claim, alternatives: alternativesOf(request) })),
    );
  }

  run(): readonly Choice[] | undefined {
    return this.#satisfy(0) ? this.#chosen : undefined;
  }

  #satisfy(index: number): boolean {
    const request = this.#requests[index];
    if (request === undefined) return true;
    return request.alternatives.some((alternative) => {
      const matching = this.#input.devices.filter((device) => this.#matches(alternative, device));
      const count = alternative.count ?? matching.length;
      if (alternative.count === undefined && matching.length === 0) return false;
      return this.#choose({ claim: request.claim, alternative, matching, next: index + 1 }, count, 0);
    });
  }

  /** Chooses `count` more of the matching devices, from the one at `from` on. */
  #choose(
    step: { readonly claim: Claim; readonly alternative: Alternative; readonly matching: readonly PoolDevice[]; readonly next: number },
    count: number,
    from: number,
  ): boolean {
    if (count === 0) return this.#satisfy(step.next);
    const { claim, alternative, matching } = step;
    for (let index = from; index + count <= matching.length && this.#steps < MAX_STEPS; index++) {
      this.#steps++;
      const device = matching[index];
      if (device === undefined || (!alternative.adminAccess && this.#taken.has(device.id))) continue;
      this.#chosen.push({ claim, alternative, device });
      if (!alternative.adminAccess) this.#taken.add(device.id);
      if (this.#keepsConstraints(claim) && this.#choose(step, count - 1, index + 1)) return true;
      this.#chosen.pop();
      if (!alternative.adminAccess) this.#taken.delete(device.id);
    }
    return false;
  }

  #matches({ className, selectors, tolerations }: Alternative, device: PoolDevice): boolean {
    const deviceClass = this.#input.deviceClass(className);
    if (deviceClass === undefined) return false;
    const isTolerated = (device.device.taints ?? []).every(
      (taint) => taint.effect === "None" || tolerations.some((toleration) => toleratesTaint(toleration, taint)),
    );
    return isTolerated && selectsDevice(deviceClass.spec.selectors, device) && selectsDevice(selectors, device);
  }

  /** Whether the devices chosen so far for the claim have what must be equal. */
  #keepsConstraints(claim: Claim): boolean {
    return (claim.spec.devices?.constraints ?? []).every(({ requests = [], matchAttribute, distinctAttribute }) => {
      const applies = ({ name }: Alternative) =>
        requests.length === 0 || requests.includes(name) || requests.includes(name.split("/")[0] ?? "");
      const devices = this.#chosen.filter((choice) => choice.claim === claim && applies(choice.alternative)).map(({ device }) => device);
      const values = devices.map((device) => attributeOf(device, matchAttribute ?? distinctAttribute ?? ""));
      if (values.includes(undefined)) return false;
      const distinct = new Set(values).size;
      return matchAttribute === undefined ? distinct === values.length : distinct <= 1;
    });
  }
}

type Request = NonNullable<NonNullable<Claim["spec"]["devices"]>["requests"]>[number];

function alternativesOf({ name, exactly, firstAvailable = [] }: Request): Alternative[] {
  const toAlternative = (requestName: string, request: NonNullable<Request["exactly"]> | (typeof firstAvailable)[number]): Alternative => ({
    name: requestName,
    className: request.deviceClassName,
    selectors: request.selectors ?? [],
    tolerations: request.tolerations ?? [],
    count: request.allocationMode === "All" ? undefined : (request.count ?? 1),
    adminAccess: "adminAccess" in request && request.adminAccess === true,
  });
  if (exactly !== undefined) return [toAlternative(name, exactly)];
  return firstAvailable.map((request) => toAlternative(`${name}/${request.name}`, request));
}

function allocationOf(claim: Claim, choices: readonly Choice[], { deviceClass }: AllocatorInput): DeepReadonly<AllocationResult> {
  const own = choices.filter((choice) => choice.claim === claim);
  const results = own.map(
    ({ alternative, device }): DeviceRequestAllocationResult => ({
      request: alternative.name,
      driver: device.driver,
      pool: device.pool,
      device: device.device.name,
      ...(alternative.adminAccess ? { adminAccess: true } : {}),
    }),
  );
  const alternatives = new Map(own.map(({ alternative }) => [alternative.name, alternative]));
  const config: DeepReadonly<DeviceAllocationConfiguration>[] = [];
  for (const { name, className } of alternatives.values()) {
    for (const each of deviceClass(className)?.spec.config ?? []) config.push({ source: "FromClass", requests: [name], ...each });
  }
  for (const each of claim.spec.devices?.config ?? []) config.push({ source: "FromClaim", ...each });
  const nodeSelector = commonNodeSelector(own.map(({ device }) => device));
  const devices = { results, ...(config.length === 0 ? {} : { config }) };
  return { devices, ...(nodeSelector === undefined ? {} : { nodeSelector }) };
}

/** Names of the device classes that the claim's requests need, with the request's name. */
export function neededClasses(claim: Claim): { readonly request: string; readonly className: string }[] {
  return (claim.spec.devices?.requests ?? []).flatMap((request) =>
    alternativesOf(request).map(({ name, className }) => ({ request: name, className })),
  );
}
