// What a service needs (addresses, node ports), by its type; and what an update takes over from the stored service.
import type { Draft } from "../draft.ts";

export interface ServicePort {
  port: number;
  protocol?: string;
  nodePort?: number;
}

export interface ServiceSpec {
  type?: string;
  clusterIP?: string;
  clusterIPs?: string[];
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
  selector?: Record<string, string>;
  ports?: ServicePort[];
  allocateLoadBalancerNodePorts?: boolean;
  externalTrafficPolicy?: string;
  healthCheckNodePort?: number;
}

export function specOf(draft: Draft): ServiceSpec {
  return (draft["spec"] ??= {}) as ServiceSpec;
}

export const hasClusterIP = (spec: ServiceSpec): boolean => spec.type !== "ExternalName";

export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIP === "None";

export function needsNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheckPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

export const portId = ({ port, protocol = "TCP" }: ServicePort): string => `${protocol}/${port}`;

/** Keeps what the stored service was given, where a replacement leaves it open. */
export function takeOverAllocations(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(spec) && hasClusterIP(old) && (spec.clusterIP ?? "") === "" && (spec.clusterIPs ?? []).length === 0) {
    spec.clusterIP = old.clusterIP ?? "";
    spec.clusterIPs = [...(old.clusterIPs ?? [])];
  }
  if (hasClusterIP(spec) && hasClusterIP(old)) {
    if (spec.ipFamilies === undefined && old.ipFamilies !== undefined) spec.ipFamilies = [...old.ipFamilies];
    if (spec.ipFamilyPolicy === undefined && old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = old.ipFamilyPolicy;
  }
  if (needsNodePorts(spec) && needsNodePorts(old)) {
    const known = new Map((old.ports ?? []).map((port) => [portId(port), port.nodePort ?? 0]));
    const asked = new Set((spec.ports ?? []).map((port) => port.nodePort));
    for (const port of spec.ports ?? []) {
      const nodePort = known.get(portId(port)) ?? 0;
      if ((port.nodePort ?? 0) === 0 && nodePort !== 0 && !asked.has(nodePort)) port.nodePort = nodePort;
    }
  }
  if (
    needsHealthCheckPort(spec) &&
    needsHealthCheckPort(old) &&
    (spec.healthCheckNodePort ?? 0) === 0 &&
    old.healthCheckNodePort !== undefined
  ) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** Drops what the new type has no use for, if the client just left it as it stood. */
export function dropUnused(spec: ServiceSpec, old: ServiceSpec): void {
  if (!hasClusterIP(spec) && hasClusterIP(old) && spec.clusterIP === old.clusterIP) {
    for (const name of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const) delete spec[name];
  }
  const usesNodePorts = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (!usesNodePorts && needsNodePorts(old)) {
    const held = new Set((old.ports ?? []).map((port) => port.nodePort));
    for (const port of spec.ports ?? []) if (held.has(port.nodePort)) delete port.nodePort;
  }
  if (!needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
}
