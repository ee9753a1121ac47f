// Which devices claims have: as the server says, and as decided here and not written yet.
import { resources } from "../../../api/index.ts";
import type { AllocationResult, DeviceClass, ResourceClaim, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { InformerSource, Lister } from "../../../client/index.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { allocate, type Claim, neededClasses } from "./allocator.ts";
import { completeDevices, deviceId, isUsableOn } from "./devices.ts";
import { podResourceClaims } from "./pod-resource-claims.ts";

type Allocation = DeepReadonly<AllocationResult>;

export class ClaimAllocations {
  readonly #claims: Lister<ResourceClaim>;
  readonly #slices: Lister<ResourceSlice>;
  readonly #classes: Lister<DeviceClass>;
  /** Allocations that the lister does not show yet, by uid of the claim. */
  readonly #inFlight = new Map<string, { readonly claim: Claim; readonly allocation: Allocation }>();

  constructor(informers: InformerSource) {
    this.#claims = informers.informer(resources.resourceclaims).lister;
    this.#slices = informers.informer(resources.resourceslices).lister;
    this.#classes = informers.informer(resources.deviceclasses).lister;
  }

  /** The pod's claims, or why they cannot be told. */
  claimsOf(pod: PodInfo): readonly Claim[] | string {
    return podResourceClaims(pod, (name) => this.#claims.get(pod.namespace, name));
  }

  of({ metadata, status }: Claim): Allocation | undefined {
    return status?.allocation ?? this.#inFlight.get(metadata.uid ?? "")?.allocation;
  }

  /** What was decided and the server has not been told. */
  unwritten({ metadata, status }: Claim): Allocation | undefined {
    return status?.allocation === undefined ? this.#inFlight.get(metadata.uid ?? "")?.allocation : undefined;
  }

  /** Why claims that have no devices yet can get none at all. */
  missingClass(used: readonly Claim[]): string | undefined {
    const missing = this.#pending(used)
      .flatMap(neededClasses)
      .find(({ className }) => this.#classes.get("", className) === undefined);
    return missing === undefined ? undefined : `request ${missing.request}: device class ${missing.className} does not exist`;
  }

  /** Answers for one node the allocations of those of the claims that have none; undefined when the node has not enough. */
  allocator(used: readonly Claim[]): (node: NodeInfo) => readonly Allocation[] | undefined {
    const claims = this.#pending(used);
    if (claims.length === 0) return () => [];
    const devices = completeDevices(this.#slices.list());
    const inUse = this.#usedDevices();
    const deviceClass = (name: string) => this.#classes.get("", name);
    return ({ node }) => allocate({ claims, devices: devices.filter((device) => isUsableOn(device, node)), inUse, deviceClass });
  }

  /** Gives the claims devices of the node; false when it has not enough. */
  reserve(used: readonly Claim[], node: NodeInfo): boolean {
    const allocations = this.allocator(used)(node);
    if (allocations === undefined) return false;
    for (const [index, claim] of this.#pending(used).entries()) {
      const allocation = allocations[index];
      if (allocation !== undefined) this.#inFlight.set(claim.metadata.uid ?? "", { claim, allocation });
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

  #usedDevices(): Set<string> {
    for (const [uid, { claim }] of this.#inFlight) {
      const current = this.#claims.get(claim.metadata.namespace ?? "", claim.metadata.name ?? "");
      if (current?.metadata.uid !== uid || current.status?.allocation !== undefined) this.#inFlight.delete(uid);
    }
    const written = this.#claims.list().map(({ status }) => status?.allocation);
    const decided = [...this.#inFlight.values()].map(({ allocation }) => allocation);
    const results = [...written, ...decided].flatMap((allocation) => allocation?.devices?.results ?? []);
    return new Set(results.filter(({ adminAccess }) => adminAccess !== true).map(deviceId));
  }
}
