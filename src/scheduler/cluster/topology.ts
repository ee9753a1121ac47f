// Which domain of one topology key (a zone, say) each node is in: numbers instead of label values.
import type { Node } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Of a node without the label. */
export const NO_DOMAIN = -1;

export class Topology {
  readonly key: string;
  /** By slot; NO_DOMAIN where there is no node or it lacks the label. */
  readonly domains: number[] = [];
  readonly #ids = new Map<string, number>();
  /** By domain: its nodes. */
  readonly #nodes: number[] = [];
  /** Domains of more than one node. */
  #sharedDomains = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Domains have numbers below this; some may be without nodes. */
  get size(): number {
    return this.#ids.size;
  }

  set(slot: number, node: DeepReadonly<Node>): void {
    const value = node.metadata.labels?.[this.key];
    this.#move(slot, value === undefined ? NO_DOMAIN : this.#idOf(value));
  }

  clear(slot: number): void {
    this.#move(slot, NO_DOMAIN);
  }

  /**
   * The same for nodes that `counts`, which are by domain, tell nothing different about: the domain or, where each node is its
   * own, what is counted there. The latter changes only with the node's pods.
   */
  likeness(slot: number, counts: readonly number[]): number {
    const domain = this.domains[slot] ?? NO_DOMAIN;
    return domain === NO_DOMAIN || this.#sharedDomains > 0 ? domain : (counts[domain] ?? 0);
  }

  #move(slot: number, domain: number): void {
    const old = this.domains[slot] ?? NO_DOMAIN;
    this.domains[slot] = domain;
    if (old === domain) return;
    if (old !== NO_DOMAIN && this.#count(old, -1) === 1) this.#sharedDomains--;
    if (domain !== NO_DOMAIN && this.#count(domain, 1) === 2) this.#sharedDomains++;
  }

  #count(domain: number, delta: 1 | -1): number {
    const count = (this.#nodes[domain] ?? 0) + delta;
    this.#nodes[domain] = count;
    return count;
  }

  #idOf(value: string): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(value, id);
    return id;
  }
}
