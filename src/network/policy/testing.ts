// For tests: network policies judged plainly, as their documentation says, and compiled rules judged as the kernel would.
import type { Namespace, Pod } from "../../api/types/core/v1.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../api/types/networking/v1.ts";
import { labelSelectorMatcher } from "../../machinery/index.ts";
import { rangeOf } from "../ranges.ts";
import type { Direction, PolicyRule, PolicyTable } from "./policy-table.ts";

/** Addresses of pods or of anything else. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly port: number;
}

export interface World {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

/** What the documentation says of a packet. */
export function isAllowed(world: World, packet: Packet): boolean {
  if (packet.source === packet.destination) return true;
  return isAllowedOneWay(world, packet, "egress") && isAllowedOneWay(world, packet, "ingress");
}

function isAllowedOneWay(world: World, packet: Packet, direction: Direction): boolean {
  const podAt = (ip: string) => world.pods.find(({ status }) => status?.podIP === ip);
  const [own, other] = direction === "egress" ? [packet.source, packet.destination] : [packet.destination, packet.source];
  const pod = podAt(own);
  if (pod === undefined) return true;
  const policies = world.policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace &&
      labelSelectorMatcher(spec?.podSelector).matches(pod.metadata.labels) &&
      (spec?.policyTypes ?? []).some((type) => type.toLowerCase() === direction),
  );
  if (policies.length === 0) return true;
  return policies.some(({ metadata, spec }) => {
    const rules =
      direction === "egress"
        ? (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
        : (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
    return rules.some(
      ({ peers = [], ports = [] }) =>
        (peers.length === 0 || peers.some((peer) => isPeer(world, metadata.namespace ?? "", peer, other, podAt(other)))) &&
        (ports.length === 0 || ports.some((port) => isPort(port, packet, podAt(packet.destination)))),
    );
  });
}

function isPeer(world: World, namespace: string, peer: NetworkPolicyPeer, ip: string, pod: Pod | undefined): boolean {
  if (peer.ipBlock !== undefined) return isIn(peer.ipBlock.cidr, ip) && !(peer.ipBlock.except ?? []).some((except) => isIn(except, ip));
  if (pod === undefined || !labelSelectorMatcher(peer.podSelector ?? {}).matches(pod.metadata.labels)) return false;
  if (peer.namespaceSelector === undefined) return pod.metadata.namespace === namespace;
  const labels = world.namespaces.find(({ metadata }) => metadata.name === pod.metadata.namespace)?.metadata.labels;
  return labelSelectorMatcher(peer.namespaceSelector).matches(labels);
}

function isPort({ protocol = "TCP", port, endPort }: NetworkPolicyPort, packet: Packet, destination: Pod | undefined): boolean {
  if (protocol.toLowerCase() !== packet.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === "number") return packet.port >= port && packet.port <= (endPort ?? port);
  const named = (destination?.spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
  return named.some((own) => own.name === port && (own.protocol ?? "TCP") === protocol && own.containerPort === packet.port);
}

function isIn(network: string, ip: string): boolean {
  const range = rangeOf(network);
  const { first } = rangeOf(ip);
  return first >= range.first && first <= range.last;
}

/** What the kernel of one node would do with a packet that it forwards. */
export function passes(table: PolicyTable, packet: Packet): boolean {
  if (packet.source === packet.destination) return true;
  return (["egress", "ingress"] as const).every((direction) => {
    const chain = table.isolated[direction].get(direction === "egress" ? packet.source : packet.destination);
    return chain === undefined || walk(table, chain, packet) === "accept";
  });
}

/** The verdict, or undefined when the chain's end is reached. */
function walk(table: PolicyTable, name: string, packet: Packet): "accept" | "drop" | undefined {
  const chain = table.chains.get(name);
  if (chain === undefined) throw new Error(`there is no chain ${name}`);
  for (const rule of chain.rules) {
    if (!matches(table, chain.direction, rule, packet)) continue;
    const verdict = typeof rule.verdict === "string" ? rule.verdict : walk(table, rule.verdict.jump, packet);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function matches(table: PolicyTable, direction: Direction, { peer, port }: PolicyRule, packet: Packet): boolean {
  const other = direction === "egress" ? packet.destination : packet.source;
  if (peer !== undefined && !elementsOf(table, peer).some((element) => isInSpan(element, other))) return false;
  if (port === undefined) return true;
  const { protocol, destination } = packet;
  if (table.sets.get(port)?.kind === "targets") return elementsOf(table, port).includes(`${destination} . ${protocol} . ${packet.port}`);
  return elementsOf(table, port).some((element) => {
    const [ownProtocol, span = ""] = element.split(" . ");
    const [first = "", last = first] = span.split("-");
    return ownProtocol === protocol && packet.port >= Number(first) && packet.port <= Number(last);
  });
}

function elementsOf(table: PolicyTable, name: string): string[] {
  const set = table.sets.get(name);
  if (set === undefined) throw new Error(`there is no set ${name}`);
  return [...set.elements];
}

function isInSpan(span: string, ip: string): boolean {
  const [first = "", last = first] = span.split("-");
  const value = rangeOf(ip).first;
  return value >= rangeOf(first).first && value <= rangeOf(last).first;
}
