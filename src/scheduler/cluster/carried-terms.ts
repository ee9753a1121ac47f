// Affinity terms that assigned pods carry: each distinct term once, with how many pods in each domain carry it.
import type { AffinityTerm } from "./affinity-term.ts";
import { NO_DOMAIN, type Topology } from "./topology.ts";

export interface CarriedTerm {
  readonly term: AffinityTerm;
  /** 1 for required terms. */
  readonly weight: number;
  readonly topology: Topology;
  /** Pods carrying it, by domain of the term's topology key. */
  readonly counts: number[];
  total: number;
}

export class CarriedTerms {
  /** Raised when a distinct term appears. */
  version = 0;
  readonly #byKey = new Map<string, CarriedTerm>();

  [Symbol.iterator](): Iterator<CarriedTerm> {
    return this.#byKey.values();
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** One pod more (1) or less (-1) at `slot` carries the term. */
  add(place: { readonly slot: number; readonly topology: Topology; readonly delta: 1 | -1 }, term: AffinityTerm, weight = 1): void {
    const { slot, topology, delta } = place;
    const domain = topology.domains[slot] ?? NO_DOMAIN;
    if (domain === NO_DOMAIN) return;
    const key = `${weight} ${term.key}`;
    let carried = this.#byKey.get(key);
    if (carried === undefined) {
      carried = { term, weight, topology, counts: [], total: 0 };
      this.#byKey.set(key, carried);
      this.version++;
    }
    carried.counts[domain] = (carried.counts[domain] ?? 0) + delta;
    carried.total += delta;
    if (carried.total === 0) this.#byKey.delete(key);
  }
}
