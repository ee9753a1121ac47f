// The endpoints that a service should have, by address type and by the ports that they share.
import { podReady } from "../../api/index.ts";
import type { Node, Pod, Service } from "../../api/types/core/v1.ts";
import type { Endpoint, EndpointPort } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { belongsInEndpoints, hostnameFor, podIps, targetPortOf } from "../service-pods.ts";

export type AddressType = "IPv4" | "IPv6";

/** Endpoints with the same ports: these share slices. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  /** By `endpointKey`. */
  readonly endpoints: Map<string, Endpoint>;
}

export interface EndpointsInput {
  readonly service: DeepReadonly<Service>;
  /** Those that the service selects. */
  readonly pods: readonly DeepReadonly<Pod>[];
  nodeOf(name: string): DeepReadonly<Node> | undefined;
}

const ZONE_LABEL = "topology.kubernetes.io/zone";

/** What tells endpoints apart: their addresses and their pod. */
export function endpointKey({ addresses, targetRef }: DeepReadonly<Endpoint>): string {
  const address = addresses.length === 1 ? addresses[0] : addresses.toSorted().join(",");
  return `${address}/${targetRef?.namespace ?? ""}/${targetRef?.name ?? ""}`;
}

/** What tells slices' ports apart. */
export function portsKey(ports: readonly DeepReadonly<EndpointPort>[] | undefined): string {
  const rows = (ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }) => [name, port, protocol, appProtocol].join("|"));
  return rows.sort().join(";");
}

/** The address types that the service's slices are made for. */
export function addressTypesOf({ spec }: DeepReadonly<Service>): readonly AddressType[] {
  if (spec?.ipFamilies !== undefined && spec.ipFamilies.length > 0)
    return spec.ipFamilies.map((family) => (family === "IPv6" ? "IPv6" : "IPv4"));
  const { clusterIP = "" } = spec ?? {};
  if (clusterIP === "" || clusterIP === "None") return ["IPv4", "IPv6"];
  return [addressTypeOf(clusterIP)];
}

function addressTypeOf(ip: string): AddressType {
  return ip.includes(":") ? "IPv6" : "IPv4";
}

/** By `portsKey`. Pods on nodes that are not known wait, unless the service publishes all addresses. */
export function desiredGroups(
  input: EndpointsInput,
  type: AddressType,
): { readonly groups: ReadonlyMap<string, EndpointGroup>; readonly waitsForNode: boolean } {
  const { service, pods, nodeOf } = input;
  const groups = new Map<string, EndpointGroup>();
  let waitsForNode = false;
  for (const pod of pods) {
    if (!belongsInEndpoints(pod, { withTerminating: true })) continue;
    const addresses = podIps(pod).filter((ip) => addressTypeOf(ip) === type);
    if (addresses.length === 0) continue;
    const node = pod.spec?.nodeName ? nodeOf(pod.spec.nodeName) : undefined;
    if (pod.spec?.nodeName && node === undefined && service.spec?.publishNotReadyAddresses !== true) {
      waitsForNode = true;
      continue;
    }
    const ports = endpointPorts(service, pod);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { ports, endpoints: new Map() }));
    const endpoint = podEndpoint(service, pod, { addresses, zone: node?.metadata.labels?.[ZONE_LABEL] });
    group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return { groups, waitsForNode };
}

function endpointPorts(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) continue;
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    ports.push({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

function podEndpoint(
  service: DeepReadonly<Service>,
  pod: DeepReadonly<Pod>,
  { addresses, zone }: { readonly addresses: readonly string[]; readonly zone: string | undefined },
): Endpoint {
  const serving = podReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { name, namespace, uid } = pod.metadata;
  const nodeName = pod.spec?.nodeName || undefined;
  const hostname = hostnameFor(pod, service);
  const hints = ready ? hintsFor(service, { zone, nodeName }) : undefined;
  return {
    addresses: [...addresses],
    conditions: { ready, serving, terminating },
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** Where the endpoint's traffic should come from, when the service prefers short ways. */
function hintsFor(
  service: DeepReadonly<Service>,
  { zone, nodeName }: { readonly zone: string | undefined; readonly nodeName: string | undefined },
): Endpoint["hints"] {
  const preference = service.spec?.trafficDistribution;
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  if (preference === "PreferSameNode" && nodeName !== undefined) return { ...forZones, forNodes: [{ name: nodeName }] };
  const prefersZone = preference === "PreferClose" || preference === "PreferSameZone" || preference === "PreferSameNode";
  return prefersZone && zone !== undefined ? forZones : undefined;
}
