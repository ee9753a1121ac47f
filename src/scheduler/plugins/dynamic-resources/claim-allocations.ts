// Which devices claims have: as the server says, and as decided here and not written yet.
import { resources } from "../../../api/index.ts";
import type { AllocationResult, DeviceClass, ResourceClaim, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { DeviceTaintRule } from "../../../api/types/resource/v1beta2.ts";
import { type Clock, type Random, timestamp, uuid } from "../../../base/index.ts";
import type { Informer, InformerSource, Lister } from "../../../client/index.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { allocationOf } from "./allocation-result.ts";
import { type Choice, type Claim, chooseDevices, neededClasses } from "./allocator.ts";
import { bindingProgress } from "./binding-conditions.ts";
import { DeviceUse } from "./device-use.ts";
import { completeDevices, isUsableOn, type PoolDevice } from "./devices.ts";
import { devicesPrepared } from "./devices-prepared.ts";
import { podResourceClaims } from "./pod-resource-claims.ts";

type Allocation = DeepReadonly<AllocationResult>;

export interface ClaimAllocationsOptions {
  readonly informers: InformerSource;
  readonly clock: Clock;
  readonly random: Random;
}

export class ClaimAllocations {
  readonly #claims: Informer<ResourceClaim>;
  readonly #slices: Lister<ResourceSlice>;
  readonly #classes: Lister<DeviceClass>;
  readonly #rules: Lister<DeviceTaintRule>;
  readonly #options: ClaimAllocationsOptions;
  /** Allocations that the lister does not show yet, by uid of the claim. */
  readonly #inFlight = new Map<string, Allocation>();

  constructor(options: ClaimAllocationsOptions) {
    const { informers } = options;
    this.#options = options;
    this.#claims = informers.informer(resources.resourceclaims);
    // From when the server has told of an allocation on, what it says counts, also when it takes the allocation back.
    const told = ({ metadata, status }: Claim) => {
      if (status?.allocation !== undefined) this.#inFlight.delete(metadata.uid ?? "");
    };
    this.#claims.onChange({
      added: told,
      updated: (_, claim) => told(claim),
      deleted: ({ metadata }) => this.#inFlight.delete(metadata.uid ?? ""),
    });
    this.#slices = informers.informer(resources.resourceslices).lister;
    this.#classes = informers.informer(resources.deviceclasses).lister;
    this.#rules = informers.informer(resources.devicetaintrules).lister;
  }

  /** Waits until drivers have prepared the devices of claims that were just written; throws when that fails or takes too long. */
  prepared(written: readonly Claim[], signal: AbortSignal): Promise<void> {
    return devicesPrepared(written, { claims: this.#claims, clock: this.#options.clock }, signal);
  }

  /** Whether preparing the claim's devices has failed, so that others must be found. */
  isBindingFailed(claim: Claim): boolean {
    return bindingProgress(claim, this.#options.clock.now()).state === "failed";
  }

  /** The pod's claims, or why they cannot be told. */
  claimsOf(pod: PodInfo): readonly Claim[] | string {
    return podResourceClaims(pod, (name) => this.#claims.lister.get(pod.namespace, name));
  }

  of({ metadata, status }: Claim): Allocation | undefined {
    return status?.allocation ?? this.#inFlight.get(metadata.uid ?? "");
  }

  /** What was decided and the server has not been told. */
  unwritten({ metadata, status }: Claim): Allocation | undefined {
    return status?.allocation === undefined ? this.#inFlight.get(metadata.uid ?? "") : undefined;
  }

  /** Why claims that have no devices yet can get none at all. */
  missingClass(used: readonly Claim[]): string | undefined {
    const missing = this.#pending(used)
      .flatMap(neededClasses)
      .find(({ className }) => this.#classes.get("", className) === undefined);
    return missing === undefined ? undefined : `request ${missing.request}: device class ${missing.className} does not exist`;
  }

  /** Answers for one node the devices for those of the claims that have none; undefined when the node has not enough. */
  chooser(used: readonly Claim[]): (node: NodeInfo) => readonly Choice[] | undefined {
    const claims = this.#pending(used);
    if (claims.length === 0) return () => [];
    const devices = completeDevices(this.#slices.list(), this.#rules.list());
    const use = this.#usedDevices(devices);
    const deviceClass = (name: string) => this.#classes.get("", name);
    return ({ node }) => chooseDevices({ claims, devices: devices.filter((device) => isUsableOn(device, node)), use, deviceClass });
  }

  /** Gives the claims devices of the node; false when it has not enough. */
  reserve(used: readonly Claim[], node: NodeInfo): boolean {
    const { clock, random } = this.#options;
    const choices = this.chooser(used)(node);
    if (choices === undefined) return false;
    const options = {
      nodeName: node.name,
      allocationTimestamp: timestamp(clock),
      newShareId: () => uuid(random),
      deviceClass: (name: string) => this.#classes.get("", name),
    };
    for (const claim of this.#pending(used)) {
      this.#inFlight.set(claim.metadata.uid ?? "", allocationOf(claim, choices, options));
    }
    return true;
  }

  /** Forgets what was decided, unless the server knows it already. */
  giveUp({ metadata, status }: Claim): void {
    if (status?.allocation === undefined) this.#inFlight.delete(metadata.uid ?? "");
  }

  #pending(used: readonly Claim[]): readonly Claim[] {
    return used.filter((claim) => this.of(claim) === undefined);
  }

  #usedDevices(devices: readonly PoolDevice[]): DeviceUse {
    const written = this.#claims.lister.list().map(({ status }) => status?.allocation);
    const results = [...written, ...this.#inFlight.values()].flatMap((allocation) => allocation?.devices?.results ?? []);
    return DeviceUse.of(results, devices);
  }
}
