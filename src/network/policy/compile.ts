// Compiles network policies to the rules of one node: a pure function of policies, pods and namespaces. Each policy that
// selects pods of the node is a chain of what it allows; pods with the same policies share a chain that asks these in turn.
import { createHash } from "node:crypto";
import type { Namespace, Pod } from "../../api/types/core/v1.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../api/types/networking/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf, type IpFamily } from "../ip-family.ts";
import { mergeRanges, rangeOf, rangeText, withoutRanges } from "../ranges.ts";
import { type PolicyPod, policyPod } from "./policy-pod.ts";
import type { Direction, PolicyChain, PolicyRule, PolicySet, PolicySetKind, PolicyTable } from "./policy-table.ts";
import { type PodSelection, PodSelector } from "./selection.ts";

export interface PolicyInput {
  readonly policies: readonly DeepReadonly<NetworkPolicy>[];
  /** Of all nodes. */
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly namespaces: readonly DeepReadonly<Namespace>[];
  readonly nodeName: string;
  readonly family: IpFamily;
}

export function compilePolicies(input: PolicyInput): PolicyTable {
  const compiler = new PolicyCompiler(input);
  for (const policy of input.policies) compiler.add(policy);
  return compiler.finish();
}

interface PeerRule {
  readonly ports?: readonly DeepReadonly<NetworkPolicyPort>[] | undefined;
  readonly peers?: readonly DeepReadonly<NetworkPolicyPeer>[] | undefined;
}

/** Some of a rule's peers; without a set they are any address. */
interface PeerEnd {
  readonly pods: PodSelection;
  readonly set?: string;
}

/** A policy in one direction. */
interface Scope {
  readonly namespace: string;
  readonly direction: Direction;
  /** The node's pods that the policy selects. */
  readonly selected: readonly PolicyPod[];
}

class PolicyCompiler {
  readonly #family: IpFamily;
  readonly #nodeName: string;
  readonly #selector: PodSelector;
  readonly #sets = new Map<string, PolicySet>();
  readonly #chains = new Map<string, PolicyChain>();
  /** The policies' chains for each pod, by its address. */
  readonly #chainsOf: Record<Direction, Map<string, string[]>> = { ingress: new Map(), egress: new Map() };

  constructor({ pods, namespaces, nodeName, family }: PolicyInput) {
    this.#family = family;
    this.#nodeName = nodeName;
    this.#selector = new PodSelector(
      pods.flatMap((pod) => policyPod(pod, family) ?? []),
      namespaces,
    );
  }

  add({ metadata, spec }: DeepReadonly<NetworkPolicy>): void {
    const namespace = metadata.namespace ?? "";
    const chosen = this.#selector.inNamespace(namespace, spec?.podSelector ?? {});
    const selected = chosen.pods.filter(({ nodeName }) => nodeName === this.#nodeName);
    if (spec === undefined || selected.length === 0) return;
    const types = spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])];
    const name = `${namespace}/${metadata.name ?? ""}`;
    if (types.includes("Ingress")) {
      const rules = (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
      this.#addDirection(name, { namespace, direction: "ingress", selected }, rules);
    }
    if (types.includes("Egress")) {
      const rules = (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
      this.#addDirection(name, { namespace, direction: "egress", selected }, rules);
    }
  }

  finish(): PolicyTable {
    const isolated = { ingress: this.#isolate("ingress"), egress: this.#isolate("egress") };
    return { sets: this.#sets, chains: this.#chains, isolated };
  }

  #addDirection(policy: string, scope: Scope, rules: readonly PeerRule[]): void {
    const { direction, selected } = scope;
    const chain = `${direction}_policy_${digest(policy)}`;
    this.#chains.set(chain, { direction, rules: rules.flatMap((rule) => this.#rulesOf(rule, scope)) });
    for (const { ip } of selected) {
      const chains = this.#chainsOf[direction];
      chains.set(ip, [...(chains.get(ip) ?? []), chain]);
    }
  }

  #isolate(direction: Direction): Map<string, string> {
    const isolated = new Map<string, string>();
    for (const [ip, policies] of this.#chainsOf[direction]) {
      const sorted = policies.toSorted();
      const name = `${direction}_pods_${digest(sorted.join())}`;
      if (!this.#chains.has(name)) {
        const rules: PolicyRule[] = [...sorted.map((jump): PolicyRule => ({ verdict: { jump } })), { verdict: "drop" }];
        this.#chains.set(name, { direction, rules });
      }
      isolated.set(ip, name);
    }
    return isolated;
  }

  /** Any of the peers by any of the ports. No list means all; an empty one is the same. */
  #rulesOf({ peers = [], ports = [] }: PeerRule, scope: Scope): PolicyRule[] {
    const rules: PolicyRule[] = [];
    const isAnyPort = ports.length === 0;
    const numbers = this.#numberedPorts(ports);
    const ends: readonly PeerEnd[] = peers.length === 0 ? [{ pods: this.#selector.all() }] : this.#ends(peers, scope);
    for (const { pods, set } of ends) {
      const peer = set === undefined ? {} : { peer: set };
      if (isAnyPort) rules.push({ ...peer, verdict: "accept" });
      if (numbers !== undefined) rules.push({ ...peer, port: numbers, verdict: "accept" });
      const targets = this.#namedPorts(ports, pods, scope);
      if (targets !== undefined) rules.push({ ...peer, port: targets, verdict: "accept" });
    }
    return rules;
  }

  /** The peers' addresses as sets, with the pods that may be among them. */
  #ends(peers: readonly DeepReadonly<NetworkPolicyPeer>[], { namespace }: Scope): PeerEnd[] {
    const blocks = peers.flatMap(({ ipBlock }) => ipBlock ?? []).filter(({ cidr }) => familyOf(cidr) === this.#family);
    const ends: PeerEnd[] = peers
      .filter(({ ipBlock }) => ipBlock === undefined)
      .map((peer) => {
        const pods = this.#selector.ofPeer(namespace, peer);
        const addresses = pods.pods.map(({ ip }) => ip);
        return { pods, set: this.#set("addresses", pods.key, addresses) };
      });
    const ranges = mergeRanges(blocks.flatMap(blockRanges)).map(rangeText);
    return ranges.length === 0 ? ends : [...ends, { pods: this.#selector.all(), set: this.#set("blocks", ranges.join(), ranges) }];
  }

  #numberedPorts(ports: readonly DeepReadonly<NetworkPolicyPort>[]): string | undefined {
    const elements = mergePorts(ports);
    return elements.length === 0 ? undefined : this.#set("ports", elements.join(), elements);
  }

  /** Where the named ports are on the pods that packets go to. */
  #namedPorts(ports: readonly DeepReadonly<NetworkPolicyPort>[], peers: PodSelection, scope: Scope): string | undefined {
    const named = ports.filter(({ port }) => typeof port === "string");
    if (named.length === 0) return undefined;
    const wanted = new Set(named.map(({ port, protocol = "TCP" }) => `${port} ${protocol.toLowerCase()}`));
    const destinations = scope.direction === "ingress" ? scope.selected : peers.pods;
    const elements = destinations.flatMap(({ ip, namedPorts }) =>
      namedPorts
        .filter(({ name, protocol }) => wanted.has(`${name} ${protocol}`))
        .map(({ protocol, port }) => `${ip} . ${protocol} . ${port}`),
    );
    const receivers = scope.direction === "ingress" ? scope.selected.map(({ ip }) => ip).join() : peers.key;
    return this.#set("targets", [scope.direction, receivers, ...wanted].join(), elements);
  }

  #set(kind: PolicySetKind, key: string, elements: readonly string[]): string {
    const name = `${kind}_${digest(key)}`;
    if (!this.#sets.has(name)) this.#sets.set(name, { kind, elements: new Set(elements) });
    return name;
  }
}

function blockRanges({ cidr, except = [] }: DeepReadonly<IPBlock>) {
  return withoutRanges(rangeOf(cidr), except.map(rangeOf));
}

/** `tcp . 80`, `tcp . 8000-8100`: ranges of one protocol that touch or overlap are one. */
function mergePorts(ports: readonly DeepReadonly<NetworkPolicyPort>[]): string[] {
  const ranges = ports.flatMap(({ protocol = "TCP", port, endPort }) => {
    if (typeof port === "string") return [];
    return [{ protocol: protocol.toLowerCase(), first: port ?? 0, last: port === undefined ? 65_535 : (endPort ?? port) }];
  });
  return ["tcp", "udp", "sctp"].flatMap((protocol) => {
    const merged: { first: number; last: number }[] = [];
    for (const { first, last } of ranges.filter((range) => range.protocol === protocol).sort((a, b) => a.first - b.first)) {
      const previous = merged.at(-1);
      if (previous === undefined || first > previous.last + 1) merged.push({ first, last });
      else previous.last = Math.max(previous.last, last);
    }
    return merged.map(({ first, last }) => `${protocol} . ${first === last ? first : `${first}-${last}`}`);
  });
}

/** Names in nftables have to be short and of few letters. */
function digest(key: string): string {
  return createHash("sha1").update(key).digest("hex").slice(0, 20);
}
