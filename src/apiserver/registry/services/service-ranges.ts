// The ranges that services' addresses come from: the server's own, and those that ServiceCIDRs add.
import type { ServiceCIDR } from "../../../api/types/networking/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { ResourceCache } from "../../watch-cache/resource-cache.ts";
import { IpRange } from "./ip-range.ts";
import type { ClusterFamilies } from "./service-families.ts";

type Cidr = DeepReadonly<ServiceCIDR>;

export class ServiceRanges {
  readonly #own: readonly [IpRange, ...IpRange[]];
  /** By name of the ServiceCIDR, in the order in which they came. */
  readonly #added = new Map<string, readonly IpRange[]>();

  /** `own` has one for each IP family of the cluster. */
  constructor(own: readonly [IpRange, ...IpRange[]]) {
    this.#own = own;
  }

  get families(): ClusterFamilies {
    const [first, ...others] = this.#own;
    return [first.family, ...others.map(({ family }) => family)];
  }

  /** Where a service of the family may get its address, in the order in which to try. */
  of(family: string): readonly IpRange[] {
    const known = new Set<string>();
    return [...this.#own, ...[...this.#added.values()].flat()].filter((range) => {
      const isNew = range.family === family && !known.has(range.cidr);
      known.add(range.cidr);
      return isNew;
    });
  }

  /** Learns which ServiceCIDRs there are, now and later. */
  follow(cache: ResourceCache, prefix: string): void {
    for (const { object } of cache.entries(prefix)) this.#set(object as unknown as Cidr);
    cache.listen(({ current, previous }) => {
      if (current !== undefined) this.#set(current.object as unknown as Cidr);
      else if (previous !== undefined) this.#added.delete(previous.object.metadata.name ?? "");
    });
  }

  /** A range that is going gives out nothing more. */
  #set({ metadata, spec, status }: Cidr): void {
    const isReady = status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
    if (isReady && metadata.deletionTimestamp === undefined) {
      const cidrs = (spec?.cidrs ?? []).filter(hasAddresses);
      this.#added.set(
        metadata.name ?? "",
        cidrs.map((cidr) => new IpRange(cidr)),
      );
    } else {
      this.#added.delete(metadata.name ?? "");
    }
  }
}

/** Whether there is an address between the network's and the broadcast address. */
function hasAddresses(cidr: string): boolean {
  return Number(cidr.slice(cidr.indexOf("/") + 1)) <= (cidr.includes(":") ? 126 : 30);
}
