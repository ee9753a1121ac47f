// Validation of services.
import {
  type FieldError,
  field,
  isDns1123Label,
  isDns1123Subdomain,
  isIanaServiceName,
  isQualifiedName,
  isValidIp,
  validateLabels,
} from "../../machinery/index.ts";
import type { Service, ServicePort, ServiceSpec } from "../types/core/v1.ts";
import { checkMessages, checkOneOf, checkPortNumber, checkRequiredOneOf, immutableField } from "../validation/checks.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const affinities = ["ClientIP", "None"];
const protocols = ["SCTP", "TCP", "UDP"];
const families = ["IPv4", "IPv6"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const maxAffinitySeconds = 86400;

export function validateService(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const spec: ServiceSpec = service.spec ?? {};
  const isHeadless = spec.clusterIP === "None";
  if (!spec.ports?.length && !isHeadless && spec.type !== "ExternalName") errors.push(field.required("spec.ports"));
  validateType(errors, spec, isHeadless);
  validatePorts(errors, spec, isHeadless);
  errors.push(...validateLabels(spec.selector, "spec.selector"));
  checkRequiredOneOf(errors, "spec.sessionAffinity", spec.sessionAffinity, affinities);
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === "ClientIP" && seconds !== undefined && !(seconds > 0 && seconds <= maxAffinitySeconds)) {
    const path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    errors.push(field.invalid(path, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`));
  }
  validateAddresses(errors, spec);
  validateTraffic(errors, spec);
  return errors;
}

function validateType(errors: FieldError[], spec: ServiceSpec, isHeadless: boolean): void {
  checkRequiredOneOf(errors, "spec.type", spec.type, types);
  if (spec.type === "LoadBalancer" && isHeadless) {
    errors.push(field.invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services"));
  } else if (spec.type === "NodePort" && isHeadless) {
    errors.push(field.invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services"));
  } else if (spec.type === "ExternalName") {
    if (spec.clusterIPs?.length) errors.push(field.forbidden("spec.clusterIPs", "may not be set for ExternalName services"));
    const name = spec.externalName?.replace(/\.$/, "");
    if (name) checkMessages(errors, "spec.externalName", name, isDns1123Subdomain(name));
    else errors.push(field.required("spec.externalName", ""));
  }
}

function validatePorts(errors: FieldError[], spec: ServiceSpec, isHeadless: boolean): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const seen = new Set<string>();
  const nodePorts = new Set<string>();
  ports.forEach((port, i) => {
    const path = `spec.ports[${i}]`;
    validatePort(errors, path, port, { needsName: ports.length > 1, isHeadless, names });
    const key = `${port.protocol}/${port.port}`;
    if (seen.has(key)) errors.push(field.duplicate(path, { protocol: port.protocol, port: port.port }));
    seen.add(key);
    if (!port.nodePort) return;
    if (spec.type === "ClusterIP" || spec.type === "ExternalName") {
      errors.push(field.forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${spec.type}'`));
    }
    const nodeKey = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(nodeKey)) errors.push(field.duplicate(`${path}.nodePort`, port.nodePort));
    nodePorts.add(nodeKey);
  });
}

interface PortScope {
  readonly needsName: boolean;
  readonly isHeadless: boolean;
  readonly names: Set<string>;
}

function validatePort(errors: FieldError[], path: string, port: ServicePort, { needsName, isHeadless, names }: PortScope): void {
  const { name = "", targetPort } = port;
  if (needsName && name === "") errors.push(field.required(`${path}.name`));
  else if (name !== "") {
    checkMessages(errors, `${path}.name`, name, isDns1123Label(name));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
  }
  checkPortNumber(errors, `${path}.port`, port.port);
  checkRequiredOneOf(errors, `${path}.protocol`, port.protocol, protocols);
  if (typeof targetPort === "number") checkPortNumber(errors, `${path}.targetPort`, targetPort);
  else if (targetPort !== undefined) checkMessages(errors, `${path}.targetPort`, targetPort, isIanaServiceName(targetPort));
  if (port.appProtocol) checkMessages(errors, `${path}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol));
  if (isHeadless && port.nodePort) errors.push(field.forbidden(`${path}.nodePort`, "may not be used when `clusterIP` is 'None'"));
}

function validateAddresses(errors: FieldError[], spec: ServiceSpec): void {
  const ips = spec.clusterIPs ?? [];
  if (spec.type !== "ExternalName") {
    if (spec.clusterIP && ips[0] !== spec.clusterIP) {
      errors.push(field.invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"));
    }
    ips.forEach((ip, i) => {
      if (i === 0 && ip === "None") {
        if (ips.length > 1) errors.push(field.invalid("spec.clusterIPs", ips, "'None' must be the first and only value"));
      } else checkMessages(errors, `spec.clusterIPs[${i}]`, ip, isValidIp(ip));
    });
    if (ips.length > 2) errors.push(field.tooMany("spec.clusterIPs", ips.length, 2));
  }
  spec.externalIPs?.forEach((ip, i) => {
    checkMessages(errors, `spec.externalIPs[${i}]`, ip, isValidIp(ip));
  });
  if (spec.loadBalancerIP) checkMessages(errors, "spec.loadBalancerIP", spec.loadBalancerIP, isValidIp(spec.loadBalancerIP));
  spec.ipFamilies?.forEach((family, i) => {
    checkOneOf(errors, `spec.ipFamilies[${i}]`, family, families);
    if (spec.ipFamilies?.indexOf(family) !== i) errors.push(field.duplicate(`spec.ipFamilies[${i}]`, family));
  });
  checkOneOf(errors, "spec.ipFamilyPolicy", spec.ipFamilyPolicy, familyPolicies);
}

function validateTraffic(errors: FieldError[], spec: ServiceSpec): void {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, type } = spec;
  const isExternallyAccessible =
    type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);
  if (external) {
    if (!isExternallyAccessible) {
      errors.push(field.invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services"));
    } else checkOneOf(errors, "spec.externalTrafficPolicy", external, ["Cluster", "Local"]);
  }
  checkOneOf(errors, "spec.internalTrafficPolicy", internal, ["Cluster", "Local"]);
  if (spec.healthCheckNodePort && !(type === "LoadBalancer" && external === "Local")) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(field.invalid("spec.healthCheckNodePort", spec.healthCheckNodePort, detail));
  }
  if (type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts !== undefined) {
      errors.push(field.forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
    }
    if (spec.loadBalancerClass !== undefined) {
      errors.push(field.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"));
    }
  }
  checkOneOf(errors, "spec.trafficDistribution", spec.trafficDistribution, ["PreferClose", "PreferSameNode", "PreferSameZone"]);
}

/** A cluster IP stays for as long as the service has one. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec || !old || spec.type === "ExternalName" || old.type === "ExternalName") return errors;
  const before = old.clusterIPs ?? [];
  const now = spec.clusterIPs ?? [];
  if (before[0] !== undefined && now[0] !== before[0]) {
    const detail = now.length === 0 ? "primary clusterIP can not be unset" : "may not change once set";
    errors.push(field.invalid("spec.clusterIPs[0]", now.length === 0 ? now : now[0], detail));
  }
  if (before.length === 2 && now.length === 2 && before[1] !== now[1]) {
    errors.push(field.invalid("spec.clusterIPs[1]", now[1], "may not change once set"));
  }
  if (old.type === "LoadBalancer" && spec.type === "LoadBalancer" && old.loadBalancerClass !== spec.loadBalancerClass) {
    errors.push(field.invalid("spec.loadBalancerClass", spec.loadBalancerClass, `may not change once set`));
  }
  if (old.healthCheckNodePort && spec.healthCheckNodePort && old.healthCheckNodePort !== spec.healthCheckNodePort) {
    errors.push(field.invalid("spec.healthCheckNodePort", spec.healthCheckNodePort, immutableField));
  }
  return errors;
}
