// Ranges of service addresses, and the objects that stand for addresses in use. Pure.
import type { Service } from "../../api/types/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "../../api/types/networking/v1.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import { contains, covers } from "./range.ts";

export type Range = DeepReadonly<ServiceCIDR>;
export type Address = DeepReadonly<IPAddress>;

export const FINALIZER = "networking.k8s.io/service-cidr-finalizer";
export const MANAGED_BY = "ipaddress.kubernetes.io/managed-by";
export const ADDRESS_FAMILY = "ipaddress.kubernetes.io/ip-family";
export const ALLOCATOR = "ipallocator.k8s.io";

/**
 * Whether a range that is being deleted may go: no address in use is left without a range that holds it.
 * @see kubernetes `pkg/controller/servicecidrs`
 */
export function mayGo(range: Range, others: readonly Range[], addresses: readonly string[]): boolean {
  const rest = others.filter(({ metadata }) => metadata.name !== range.metadata.name && metadata.deletionTimestamp === undefined);
  const remaining = rest.flatMap(({ spec }) => spec?.cidrs ?? []);
  return (range.spec?.cidrs ?? []).every((cidr) => {
    if (remaining.some((other) => covers(other, cidr))) return true;
    return addresses.every((address) => !contains(cidr, address) || remaining.some((other) => contains(other, address)));
  });
}

/** The Ready condition of a range. */
export function readyCondition(range: Range, now: string): NonNullable<NonNullable<ServiceCIDR["status"]>["conditions"]>[number] {
  const isGoing = range.metadata.deletionTimestamp !== undefined;
  return {
    type: "Ready",
    status: isGoing ? "False" : "True",
    reason: isGoing ? "Terminating" : "",
    message: isGoing
      ? "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
      : "Kubernetes Service CIDR is ready",
    lastTransitionTime: now,
  };
}

/** The addresses of a service. */
export function addressesOf({ spec }: DeepReadonly<Service>): readonly string[] {
  return (spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : [])).filter((address) => address !== "" && address !== "None");
}

/** The object of an address that a service has. */
export function addressObject(address: string, { metadata }: DeepReadonly<Service>): IPAddress {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: {
      name: address,
      labels: { [ADDRESS_FAMILY]: address.includes(":") ? "IPv6" : "IPv4", [MANAGED_BY]: ALLOCATOR },
    },
    spec: { parentRef: { group: "", resource: "services", namespace: metadata.namespace ?? "", name: metadata.name ?? "" } },
  };
}

export type AddressPlan =
  | { readonly type: "none" }
  | { readonly type: "create"; readonly object: IPAddress }
  /** Its service is gone, or has another address; it is made anew if another service has it. */
  | { readonly type: "delete" };

/** `holder` is the service that has the address. Objects that others manage are left alone. */
export function planAddress(address: string, known: Address | undefined, holder: DeepReadonly<Service> | undefined): AddressPlan {
  const wanted = holder === undefined ? undefined : addressObject(address, holder);
  if (known === undefined) return wanted === undefined ? { type: "none" } : { type: "create", object: wanted };
  if (known.metadata.labels?.[MANAGED_BY] !== ALLOCATOR) return { type: "none" };
  return wanted !== undefined && deepEqual(wanted.spec, known.spec) ? { type: "none" } : { type: "delete" };
}
