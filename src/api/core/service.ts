// Service: defaults, columns, what an update keeps. Its addresses and node ports are the API server's to allocate.
import { isDns1035Label } from "../../machinery/index.ts";
import { ageColumn, column, formatLabels, nameColumn, textOrNone, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Service, ServiceSpec } from "../types/core/v1.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateService, validateServiceUpdate } from "./service-validation.ts";

function applyDefaults({ spec }: Service): void {
  if (!spec) return;
  spec.type ||= "ClusterIP";
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  applyTrafficDefaults(spec);
  // Two forms of one address.
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  else if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0];
}

function applyTrafficDefaults(spec: ServiceSpec): void {
  const { type } = spec;
  if (type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && spec.externalIPs?.length)) {
    spec.externalTrafficPolicy ||= "Cluster";
  }
  if (type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** A client that replaces a service without naming what was allocated keeps it, as far as the type allows. */
function patchAllocated({ spec }: Service, { spec: old }: Service): void {
  if (!spec || !old) return;
  if (old.type !== "ExternalName" && spec.type !== "ExternalName") {
    if (!spec.clusterIP && !spec.clusterIPs?.length) {
      spec.clusterIP = old.clusterIP;
      spec.clusterIPs = old.clusterIPs;
    }
    spec.ipFamilies ??= old.ipFamilies;
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) keepNodePorts(spec, old);
  if (needsHealthCheckPort(old) && needsHealthCheckPort(spec)) spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const used = new Set(spec.ports?.map(({ nodePort }) => nodePort).filter(Boolean));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const before = old.ports?.find((candidate) => candidate.port === port.port && candidate.protocol === port.protocol);
    if (!before?.nodePort || used.has(before.nodePort)) continue;
    port.nodePort = before.nodePort;
    used.add(before.nodePort);
  }
}

const needsNodePorts = ({ type }: ServiceSpec): boolean => type === "NodePort" || type === "LoadBalancer";
const needsHealthCheckPort = (spec: ServiceSpec): boolean => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** A type that lost a feature loses its fields, when the client did not touch them. */
function dropTypeDependentFields({ spec }: Service, { spec: old }: Service): void {
  if (!spec || !old) return;
  if (old.type !== "ExternalName" && spec.type === "ExternalName" && spec.clusterIP === old.clusterIP) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  }
  if (needsNodePorts(old) && !needsNodePorts(spec)) {
    for (const [i, port] of (spec.ports ?? []).entries()) if (port.nodePort === old.ports?.[i]?.nodePort) delete port.nodePort;
    if (!spec.externalIPs?.length) delete spec.externalTrafficPolicy;
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec)) delete spec.healthCheckNodePort;
  if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (old.type === "ExternalName" && spec.type !== "ExternalName") delete spec.externalName;
}

function externalIpCell(service: Service): string {
  const { type, externalIPs = [], externalName = "" } = service.spec ?? {};
  if (type === "ExternalName") return externalName;
  if (type !== "LoadBalancer") return textOrNone(externalIPs.join(","));
  const ingress = (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter(Boolean);
  const all = [...new Set(ingress), ...externalIPs];
  return all.length === 0 ? "<pending>" : all.join(",");
}

function portsCell({ spec }: Service): string {
  const texts = (spec?.ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ""}/${protocol}`);
  return textOrNone(texts.join(","));
}

export const serviceStrategy: KindStrategy<Service> = {
  applyDefaults,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate(service, old) {
    keepStatus(service, old);
    patchAllocated(service, old);
    dropTypeDependentFields(service, old);
  },
  prepareForStatusUpdate: keepSpec,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateName: isDns1035Label,
  columns: [
    nameColumn,
    column("Type", (service) => service.spec?.type ?? ""),
    column("Cluster-IP", (service) => textOrNone(service.spec?.clusterIPs?.[0] ?? service.spec?.clusterIP)),
    column("External-IP", externalIpCell),
    column("Port(s)", portsCell),
    ageColumn,
    wideColumn("Selector", (service) => formatLabels(service.spec?.selector)),
  ],
  selectableFields: {
    "spec.clusterIP": (service) => service.spec?.clusterIP ?? "",
    "spec.type": (service) => service.spec?.type ?? "",
  },
};
