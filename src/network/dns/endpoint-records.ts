// What DNS publishes of one EndpointSlice: an address, a host name below the Service's and ports for each ready endpoint.
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface EndpointRecord {
  readonly address: string;
  /** The endpoint's own, or made from its address: `10-244-0-5`. */
  readonly hostname: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

export function endpointRecords(slice: DeepReadonly<EndpointSlice>): EndpointRecord[] {
  if (slice.addressType === "FQDN") return [];
  const ports = (slice.ports ?? []).map((port) => ({ name: port.name ?? "", protocol: port.protocol ?? "TCP", port: port.port ?? 0 }));
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap((endpoint) =>
      endpoint.addresses.map((address) => ({ address, hostname: endpoint.hostname || address.replaceAll(/[.:]/g, "-"), ports })),
    );
}
