// How many pods that a selector matches are in each domain of a topology; kept up to date by deltas.
import type { NodeInfo } from "./node-info.ts";
import type { PodGroup } from "./pod-group.ts";
import { NO_DOMAIN, type Topology } from "./topology.ts";

export interface PodCounterSpec {
  /** Equal for counters that count the same. */
  readonly key: string;
  /** Domains to count by; undefined: each node is its own. */
  readonly topologyKey: string | undefined;
  matches(group: PodGroup): boolean;
  /** Nodes that count, by their labels and taints only; default: all. */
  isEligible?(node: NodeInfo): boolean;
  /** Whether `matches` looks at the labels of namespaces. */
  readonly readsNamespaces?: boolean;
}

export class PodCounter {
  readonly spec: PodCounterSpec;
  /** Undefined: a domain is a slot. */
  readonly topology: Topology | undefined;
  /** By domain. */
  readonly counts: number[] = [];
  /** By domain: its eligible nodes. */
  readonly nodes: number[] = [];
  /** Pods in all domains. */
  total = 0;
  /** Domains with eligible nodes. */
  domainCount = 0;
  /** False when the cluster has dropped the counter and no longer updates it. */
  isLive = true;
  readonly #domainOfSlot: number[] = [];
  /** What `minimum` answers, until something changes. */
  #minimum: number | undefined;

  constructor(spec: PodCounterSpec, topology: Topology | undefined) {
    this.spec = spec;
    this.topology = topology;
  }

  /** The domain under which the slot's pods are counted; NO_DOMAIN: they are not. */
  domainOf(slot: number): number {
    return this.#domainOfSlot[slot] ?? NO_DOMAIN;
  }

  /** Pods in the domain of the slot, 0 when it has none. */
  countAt(slot: number): number {
    const domain = this.#domainOfSlot[slot] ?? NO_DOMAIN;
    return domain === NO_DOMAIN ? 0 : (this.counts[domain] ?? 0);
  }

  /** The smallest count of a domain with eligible nodes; 0 without domains. */
  minimum(): number {
    this.#minimum ??= this.#findMinimum();
    return this.#minimum;
  }

  #findMinimum(): number {
    let minimum = Number.POSITIVE_INFINITY;
    for (let domain = 0; domain < this.nodes.length; domain++) {
      if ((this.nodes[domain] ?? 0) > 0) minimum = Math.min(minimum, this.counts[domain] ?? 0);
    }
    return minimum === Number.POSITIVE_INFINITY ? 0 : minimum;
  }

  add(slot: number, delta: number): void {
    const domain = this.#domainOfSlot[slot] ?? NO_DOMAIN;
    if (domain === NO_DOMAIN) return;
    this.counts[domain] = (this.counts[domain] ?? 0) + delta;
    this.total += delta;
    this.#minimum = undefined;
  }

  /** Takes in a node, whose pods must not be counted at this time. */
  attachNode(node: NodeInfo): void {
    const domain = this.topology === undefined ? node.slot : (this.topology.domains[node.slot] ?? NO_DOMAIN);
    const isEligible = domain !== NO_DOMAIN && (this.spec.isEligible?.(node) ?? true);
    this.#domainOfSlot[node.slot] = isEligible ? domain : NO_DOMAIN;
    if (!isEligible) return;
    this.#minimum = undefined;
    const nodes = this.nodes[domain] ?? 0;
    if (nodes === 0) this.domainCount++;
    this.nodes[domain] = nodes + 1;
    this.counts[domain] ??= 0;
  }

  /** Forgets a node, whose pods must not be counted at this time. */
  detachNode(slot: number): void {
    const domain = this.#domainOfSlot[slot] ?? NO_DOMAIN;
    this.#domainOfSlot[slot] = NO_DOMAIN;
    if (domain === NO_DOMAIN) return;
    this.#minimum = undefined;
    const nodes = (this.nodes[domain] ?? 0) - 1;
    this.nodes[domain] = nodes;
    if (nodes === 0) this.domainCount--;
  }
}
