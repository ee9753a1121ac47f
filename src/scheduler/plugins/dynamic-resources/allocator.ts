// Chooses devices for claims: the first combination, in the order of pools and devices, that satisfies all requests and
// constraints. Pure.
import { toleratesTaint } from "../../../api/index.ts";
import type { DeviceClass, DeviceSelector, DeviceToleration, ResourceClaim } from "../../../api/types/resource/v1.ts";
import type { DeepReadonly, Quantity } from "../../../machinery/index.ts";
import { consumedCapacity } from "./consumed-capacity.ts";
import { attributeOf, selectsDevice } from "./device-selectors.ts";
import { DeviceUse } from "./device-use.ts";
import type { PoolDevice } from "./devices.ts";

export type Claim = DeepReadonly<ResourceClaim>;

export interface AllocatorInput {
  readonly claims: readonly Claim[];
  /** Those that are usable on the node. */
  readonly devices: readonly PoolDevice[];
  /** What other claims have. */
  readonly use: DeviceUse;
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
  readonly capacity: Readonly<Record<string, string>> | undefined;
  readonly adminAccess: boolean;
  /** Its place among the alternatives of `firstAvailable`. */
  readonly rank?: number;
}

/** A device for a request of a claim. */
export interface Choice {
  readonly claim: Claim;
  readonly alternative: Alternative;
  readonly device: PoolDevice;
  /** By name of the device's capacity. */
  readonly consumed: ReadonlyMap<string, Quantity>;
}

/** Combinations tried before the search gives up. */
const MAX_STEPS = 100_000;
/** The most devices that a claim can have. */
const MAX_RESULTS = 32;
const MAX_ALTERNATIVES = 8;
const PREVENTING_EFFECTS: readonly string[] = ["NoSchedule", "NoExecute"];

/** Devices for all requests of all claims; undefined when there are not enough. Throws the errors of selectors. */
export function chooseDevices(input: AllocatorInput): readonly Choice[] | undefined {
  return new Search(input).run();
}

class Search {
  readonly #input: AllocatorInput;
  readonly #requests: readonly { readonly claim: Claim; readonly alternatives: readonly Alternative[] }[];
  readonly #chosen: Choice[] = [];
  readonly #use: DeviceUse;
  #steps = 0;

  constructor(input: AllocatorInput) {
    this.#input = input;
    this.#use = new DeviceUse(input.use);
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
      if (this.#chosen.filter(({ claim }) => claim === request.claim).length + count > MAX_RESULTS) return false;
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
      const consumed = device && consumedCapacity(alternative.capacity, device);
      if (device === undefined || consumed === undefined || !isTolerated(device, alternative)) continue;
      const giveBack = this.#take({ claim, alternative, device, consumed });
      if (giveBack === undefined) continue;
      if (this.#keepsConstraints(claim) && this.#choose(step, count - 1, index + 1)) return true;
      giveBack();
    }
    return false;
  }

  /** Answers how to undo it; undefined: the device is not to be had. */
  #take(choice: Choice): (() => void) | undefined {
    const { alternative, device, consumed } = choice;
    if (this.#clashes(choice)) return undefined;
    const giveBack = alternative.adminAccess ? () => {} : this.#use.take(device, consumed);
    if (giveBack === undefined) return undefined;
    this.#chosen.push(choice);
    return () => {
      this.#chosen.pop();
      giveBack();
    };
  }

  /** Administrators share devices with everyone but other requests of the same claims. */
  #clashes({ claim, alternative, device }: Choice): boolean {
    return this.#chosen.some(
      (other) => other.device === device && (alternative.adminAccess ? other.claim === claim : other.alternative.adminAccess),
    );
  }

  #matches({ className, selectors }: Alternative, device: PoolDevice): boolean {
    const deviceClass = this.#input.deviceClass(className);
    return deviceClass !== undefined && selectsDevice(deviceClass.spec.selectors, device) && selectsDevice(selectors, device);
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

/** Effects that are not known count for nothing. */
function isTolerated({ taints }: PoolDevice, { tolerations }: Alternative): boolean {
  return taints.every(
    (taint) => !PREVENTING_EFFECTS.includes(taint.effect) || tolerations.some((toleration) => toleratesTaint(toleration, taint)),
  );
}

type Request = NonNullable<NonNullable<Claim["spec"]["devices"]>["requests"]>[number];

function alternativesOf({ name, exactly, firstAvailable = [] }: Request): Alternative[] {
  const toAlternative = (requestName: string, request: NonNullable<Request["exactly"]> | (typeof firstAvailable)[number]) => ({
    name: requestName,
    className: request.deviceClassName,
    selectors: request.selectors ?? [],
    tolerations: request.tolerations ?? [],
    count: request.allocationMode === "All" ? undefined : (request.count ?? 1),
    capacity: request.capacity?.requests,
    adminAccess: "adminAccess" in request && request.adminAccess === true,
  });
  if (exactly !== undefined) return [toAlternative(name, exactly)];
  return firstAvailable.map((request, rank) => ({ ...toAlternative(`${name}/${request.name}`, request), rank }));
}

/** How much better the chosen alternatives are than the worst there could be; the first of `firstAvailable` counts most. */
export function preferenceOf(choices: readonly Choice[]): number {
  const chosen = new Set(choices.map(({ alternative }) => alternative));
  return [...chosen].reduce((sum, { rank }) => sum + (rank === undefined ? 0 : MAX_ALTERNATIVES - rank), 0);
}

/** Names of the device classes that the claim's requests need, with the request's name. */
export function neededClasses(claim: Claim): { readonly request: string; readonly className: string }[] {
  return (claim.spec.devices?.requests ?? []).flatMap((request) =>
    alternativesOf(request).map(({ name, className }) => ({ request: name, className })),
  );
}
