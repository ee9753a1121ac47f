// NetworkPolicy: defaults, validation, columns.
import {
  type FieldError,
  field,
  formatLabelSelector,
  isIanaServiceName,
  isValidCidr,
  validateLabelSelector,
} from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../types/networking/v1.ts";
import { checkMessages, checkOneOf, checkPortNumber } from "../validation/checks.ts";

function validatePort(errors: FieldError[], path: string, { port, endPort, protocol }: NetworkPolicyPort): void {
  checkOneOf(errors, `${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
  if (typeof port === "number") {
    checkPortNumber(errors, `${path}.port`, port);
    if (endPort !== undefined && endPort < port)
      errors.push(field.invalid(`${path}.endPort`, endPort, "must be greater than or equal to `port`"));
  } else if (port !== undefined) {
    checkMessages(errors, `${path}.port`, port, isIanaServiceName(port));
    if (endPort !== undefined) {
      errors.push(field.invalid(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric"));
    }
  } else if (endPort !== undefined) {
    errors.push(field.invalid(`${path}.endPort`, endPort, "may not be specified when `port` is not specified"));
  }
}

function validatePeer(errors: FieldError[], path: string, peer: NetworkPolicyPeer): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector) errors.push(...validateLabelSelector(podSelector, `${path}.podSelector`));
  if (namespaceSelector) errors.push(...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`));
  if (ipBlock) {
    if (podSelector || namespaceSelector) errors.push(field.forbidden(path, "may not specify both ipBlock and another peer"));
    if (!ipBlock.cidr) errors.push(field.required(`${path}.ipBlock.cidr`));
    else checkMessages(errors, `${path}.ipBlock.cidr`, ipBlock.cidr, isValidCidr(ipBlock.cidr));
    ipBlock.except?.forEach((cidr, i) => {
      checkMessages(errors, `${path}.ipBlock.except[${i}]`, cidr, isValidCidr(cidr));
    });
  } else if (!podSelector && !namespaceSelector) errors.push(field.required(path, "must specify a peer"));
}

function validateRule(
  errors: FieldError[],
  path: string,
  rule: { ports?: NetworkPolicyPort[] | undefined; peers?: NetworkPolicyPeer[] | undefined; peersName: string },
): void {
  rule.ports?.forEach((port, i) => {
    validatePort(errors, `${path}.ports[${i}]`, port);
  });
  rule.peers?.forEach((peer, i) => {
    validatePeer(errors, `${path}.${rule.peersName}[${i}]`, peer);
  });
}

export const networkPolicyStrategy: KindStrategy<NetworkPolicy> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.podSelector ??= {};
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of ports ?? []) port.protocol ??= "TCP";
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate({ spec = {} }) {
    const errors: FieldError[] = [...validateLabelSelector(spec.podSelector, "spec.podSelector")];
    spec.ingress?.forEach(({ ports, from }, i) => {
      validateRule(errors, `spec.ingress[${i}]`, { ports, peers: from, peersName: "from" });
    });
    spec.egress?.forEach(({ ports, to }, i) => {
      validateRule(errors, `spec.egress[${i}]`, { ports, peers: to, peersName: "to" });
    });
    spec.policyTypes?.forEach((type, i) => {
      checkOneOf(errors, `spec.policyTypes[${i}]`, type, ["Egress", "Ingress"]);
    });
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, column("Pod-Selector", ({ spec }) => formatLabelSelector(spec?.podSelector)), ageColumn],
};
