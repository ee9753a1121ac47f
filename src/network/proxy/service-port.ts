// One port of one Service with the endpoints that traffic may go to: the proxy's view, computed from Services and
// EndpointSlices without side effects.
import type { Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf, type IpFamily } from "../ip-family.ts";
import { type NodePlace, type ProxyEndpoint, reachableEndpoints } from "./endpoints.ts";

export type Protocol = "tcp" | "udp" | "sctp";

/** All addresses are of one family. */
export interface ProxyServicePort {
  readonly protocol: Protocol;
  readonly port: number;
  /** Reached from inside the cluster. */
  readonly clusterIps: readonly string[];
  /** Reached from outside: external and load balancer addresses. */
  readonly externalIps: readonly string[];
  /** Networks from which `restrictedIps` may be reached; meaningless when there are none of those. */
  readonly sourceRanges: readonly string[];
  /** The load balancer addresses that only `sourceRanges` may reach. */
  readonly restrictedIps: readonly string[];
  /** 0 for none. */
  readonly nodePort: number;
  /** How long a client stays with its endpoint; 0 for no affinity. */
  readonly affinitySeconds: number;
  /** For traffic policy Cluster. */
  readonly clusterEndpoints: readonly ProxyEndpoint[];
  /** For traffic policy Local. */
  readonly localEndpoints: readonly ProxyEndpoint[];
  /** internalTrafficPolicy Local. */
  readonly isInternalLocal: boolean;
  /** externalTrafficPolicy Local: traffic from outside goes to endpoints of this node only, and the client's address is kept. */
  readonly isExternalLocal: boolean;
  /** Whether any node has an endpoint: without one traffic is rejected, with one elsewhere local-only traffic is dropped. */
  readonly hasAnyEndpoint: boolean;
}

export interface ServiceView {
  readonly service: DeepReadonly<Service>;
  /** All slices of the Service. */
  readonly slices: readonly DeepReadonly<EndpointSlice>[];
  readonly place: NodePlace;
  readonly family: IpFamily;
}

/** Traffic for these Services is someone else's business. */
const FOREIGN_PROXY_LABEL = "service.kubernetes.io/service-proxy-name";

/** All ports that the node has to program in one family; none for headless and ExternalName Services. */
export function servicePorts({ service, slices, place, family }: ServiceView): ProxyServicePort[] {
  const { spec } = service;
  const isOurs = (address: string) => address !== "None" && address !== "" && familyOf(address) === family;
  const clusterIps = (spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])).filter(isOurs);
  if (spec === undefined || spec.type === "ExternalName" || clusterIps.length === 0) return [];
  if (service.metadata.labels?.[FOREIGN_PROXY_LABEL] !== undefined) return [];
  const balancerIps = loadBalancerIps(service).filter(isOurs);
  const hasRanges = (spec.loadBalancerSourceRanges ?? []).length > 0;
  const ownSlices = slices.filter((slice) => slice.addressType === family.name);
  return (spec.ports ?? []).map((port) => {
    const endpoints = reachableEndpoints(ownSlices, port.name ?? "", place);
    return {
      protocol: (port.protocol ?? "TCP").toLowerCase() as Protocol,
      port: port.port,
      clusterIps,
      externalIps: [...(spec.externalIPs ?? []).filter(isOurs), ...balancerIps],
      sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isOurs),
      restrictedIps: hasRanges ? balancerIps : [],
      nodePort: port.nodePort ?? 0,
      affinitySeconds: spec.sessionAffinity === "ClientIP" ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
      clusterEndpoints: endpoints.cluster,
      localEndpoints: endpoints.local,
      isInternalLocal: spec.internalTrafficPolicy === "Local",
      isExternalLocal: spec.externalTrafficPolicy === "Local",
      hasAnyEndpoint: endpoints.hasAny,
    };
  });
}

/** Addresses with ipMode Proxy are terminated elsewhere: traffic to them has to leave the node. */
function loadBalancerIps(service: DeepReadonly<Service>): string[] {
  if (service.spec?.type !== "LoadBalancer") return [];
  return (service.status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ipMode !== "Proxy")
    .flatMap((ingress) => ingress.ip ?? []);
}
