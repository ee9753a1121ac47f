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

  constructor(key: string) {
    this.key = key;
  }

  /** Domains have numbers below this; some may be without nodes. */
  get size(): number {
    return this.#ids.size;
  }

  set(slot: number, node: DeepReadonly<Node>): void {
    const value = node.metadata.labels?.[this.key];
    this.domains[slot] = value === undefined ? NO_DOMAIN : this.#idOf(value);
  }

  clear(slot: number): void {
    this.domains[slot] = NO_DOMAIN;
  }

  #idOf(value: string): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(value, id);
    return id;
  }
}
