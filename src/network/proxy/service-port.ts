// One port of one Service with the endpoints that traffic may go to: the proxy's view, computed from Services and
// EndpointSlices without side effects.
import type { ServicePort as ApiServicePort, Service } from "../../api/types/core/v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Protocol = "tcp" | "udp" | "sctp";

export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
  readonly isLocal: boolean;
}

export interface ProxyServicePort {
  readonly protocol: Protocol;
  readonly port: number;
  /** Reached from inside the cluster. */
  readonly clusterIps: readonly string[];
  /** Reached from outside: external and load balancer addresses. */
  readonly externalIps: readonly string[];
  /** 0 for none. */
  readonly nodePort: number;
  /** How long a client stays with its endpoint; 0 for no affinity. */
  readonly affinitySeconds: number;
  /** Where traffic from inside goes. */
  readonly internalEndpoints: readonly ProxyEndpoint[];
  /** Where traffic from outside goes. */
  readonly externalEndpoints: readonly ProxyEndpoint[];
  /** externalTrafficPolicy Local: only endpoints of this node, and the client's address is kept. */
  readonly isExternalLocal: boolean;
  /** Whether any node has an endpoint: without one traffic is rejected, with one elsewhere local-only traffic is dropped. */
  readonly hasAnyEndpoint: boolean;
}

/** Traffic for these Services is someone else's business. */
const FOREIGN_PROXY_LABEL = "service.kubernetes.io/service-proxy-name";

/** All ports of `service` that this node has to program; none for headless and ExternalName Services. */
export function servicePorts(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  nodeName: string,
): ProxyServicePort[] {
  const { spec } = service;
  const clusterIps = (spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])).filter(isIpv4);
  if (spec === undefined || spec.type === "ExternalName" || clusterIps.length === 0) return [];
  if (service.metadata.labels?.[FOREIGN_PROXY_LABEL] !== undefined) return [];
  const isExternalLocal = spec.externalTrafficPolicy === "Local";
  const externalIps = [...(spec.externalIPs ?? []), ...loadBalancerIps(service)].filter(isIpv4);
  return (spec.ports ?? []).map((port) => {
    const all = endpointsOf(port, slices, nodeName);
    const local = all.filter((endpoint) => endpoint.isLocal);
    return {
      protocol: (port.protocol ?? "TCP").toLowerCase() as Protocol,
      port: port.port,
      clusterIps,
      externalIps,
      nodePort: port.nodePort ?? 0,
      affinitySeconds: spec.sessionAffinity === "ClientIP" ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
      internalEndpoints: spec.internalTrafficPolicy === "Local" ? local : all,
      externalEndpoints: isExternalLocal ? local : all,
      isExternalLocal,
      hasAnyEndpoint: all.length > 0,
    };
  });
}

function loadBalancerIps(service: DeepReadonly<Service>): string[] {
  if (service.spec?.type !== "LoadBalancer") return [];
  return (service.status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ipMode !== "Proxy")
    .flatMap((ingress) => ingress.ip ?? []);
}

/** Ready endpoints; when there are none, those that still serve while they terminate. */
function endpointsOf(
  port: DeepReadonly<ApiServicePort>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  nodeName: string,
): ProxyEndpoint[] {
  const ready = new Map<string, ProxyEndpoint>();
  const terminating = new Map<string, ProxyEndpoint>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const number = slice.ports?.find((candidate) => (candidate.name ?? "") === (port.name ?? ""))?.port;
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const target = targetOf(endpoint, ready, terminating);
      for (const ip of target === undefined ? [] : endpoint.addresses.slice(0, 1)) {
        target?.set(`${ip}:${number}`, { ip, port: number, isLocal: endpoint.nodeName === nodeName });
      }
    }
  }
  const chosen = ready.size > 0 ? ready : terminating;
  return [...chosen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function targetOf<T>(endpoint: DeepReadonly<Endpoint>, ready: T, terminating: T): T | undefined {
  if (endpoint.conditions?.ready !== false) return ready;
  if (endpoint.conditions.serving !== false && endpoint.conditions.terminating === true) return terminating;
  return undefined;
}

function isIpv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address);
}
