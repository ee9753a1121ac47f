// ScheduleAnyway: rather domains with fewer of the pods that a constraint counts.
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { NO_DOMAIN, type Topology } from "../../cluster/topology.ts";
import { type ClusterScorer, MAX_SCORE } from "../../framework/plugin.ts";
import { type Constraint, constraintCounter, HOSTNAME } from "./constraints.ts";

interface Counted {
  readonly maxSkew: number;
  readonly topology: Topology;
  readonly counter: PodCounter;
  /** Whether what runs on the node itself counts. */
  readonly isByNode: boolean;
  /** Larger the more domains there are to choose from, so that many small ones weigh as much as few large ones. */
  weight: number;
}

export interface SpreadScorerOptions {
  readonly constraints: readonly Constraint[];
  /** Whether nodes without one of the topology keys are left out altogether. */
  readonly requiresAllTopologies: boolean;
}

/** Holds, for all pods of the same `spreadKey`, while `isCurrent`. */
export class SpreadScorer implements ClusterScorer {
  readonly #constraints: readonly Counted[];
  /** Nodes outside one of these are left out. */
  readonly #required: readonly Topology[];

  constructor(pod: PodInfo, cluster: ClusterState, { constraints, requiresAllTopologies }: SpreadScorerOptions) {
    const requiredKeys = requiresAllTopologies ? constraints.map(({ topologyKey }) => topologyKey) : [];
    this.#required = requiredKeys.map((key) => cluster.topology(key));
    this.#constraints = constraints.map((constraint) => {
      const { topologyKey, maxSkew } = constraint;
      const isByNode = topologyKey === HOSTNAME;
      // What runs on the node itself counts, whether the node is eligible or not.
      const counted = isByNode ? { ...constraint, honorsAffinity: false, honorsTaints: false } : constraint;
      const options = isByNode ? { requiredKeys: [], byNode: true } : { requiredKeys };
      const counter = constraintCounter(cluster, pod, counted, options);
      return { maxSkew, topology: cluster.topology(topologyKey), counter, isByNode, weight: 0 };
    });
  }

  isCurrent(): boolean {
    return this.#constraints.every(({ counter }) => counter.isLive);
  }

  start(nodes: readonly NodeInfo[], sizes?: readonly number[]): void {
    for (const constraint of this.#constraints) constraint.weight = Math.log(this.#domainsOf(constraint, nodes, sizes) + 2);
  }

  #domainsOf({ topology, isByNode }: Counted, nodes: readonly NodeInfo[], sizes: readonly number[] | undefined): number {
    const seen = new Uint8Array(isByNode ? 0 : topology.size + 1);
    let count = 0;
    for (const [index, { slot }] of nodes.entries()) {
      if (this.#isIgnored(slot)) continue;
      // The last place is for nodes without the label.
      const domain = topology.domains[slot] ?? NO_DOMAIN;
      const place = domain === NO_DOMAIN ? topology.size : domain;
      if (isByNode) count += sizes?.[index] ?? 1;
      else if (seen[place] === 0) count++;
      seen[place] = 1;
    }
    return count;
  }

  likeness({ slot }: NodeInfo): string {
    let likeness = "";
    for (const { topology, counter, isByNode } of this.#constraints) {
      const domain = topology.domains[slot] ?? NO_DOMAIN;
      likeness += `${isByNode && domain !== NO_DOMAIN ? (counter.counts[slot] ?? 0) : topology.likeness(slot, counter.counts)} `;
    }
    return likeness;
  }

  #isIgnored(slot: number): boolean {
    for (const { domains } of this.#required) if ((domains[slot] ?? NO_DOMAIN) === NO_DOMAIN) return true;
    return false;
  }

  score({ slot }: NodeInfo): number {
    if (this.#isIgnored(slot)) return 0;
    let score = 0;
    for (const { topology, counter, maxSkew, isByNode, weight } of this.#constraints) {
      const domain = topology.domains[slot] ?? NO_DOMAIN;
      if (domain !== NO_DOMAIN) score += (counter.counts[isByNode ? slot : domain] ?? 0) * weight + (maxSkew - 1);
    }
    return Math.round(score);
  }

  readonly normalization = (scores: number[], nodes: readonly NodeInfo[]): void => {
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    for (let index = 0; index < scores.length; index++) {
      const score = scores[index] ?? 0;
      if (this.#isIgnored(nodes[index]?.slot ?? 0)) continue;
      if (score < low) low = score;
      if (score > high) high = score;
    }
    for (let index = 0; index < scores.length; index++) {
      if (this.#isIgnored(nodes[index]?.slot ?? 0)) scores[index] = 0;
      else scores[index] = high === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (high + low - (scores[index] ?? 0))) / high);
    }
  };
}
