// ScheduleAnyway: rather domains with fewer of the pods that a constraint counts.
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { type ClusterScorer, MAX_SCORE } from "../../framework/plugin.ts";
import { type Constraint, constraintCounter, HOSTNAME } from "./constraints.ts";

interface Counted extends Constraint {
  readonly counter: PodCounter;
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
  readonly #requiredKeys: readonly string[];

  constructor(pod: PodInfo, cluster: ClusterState, { constraints, requiresAllTopologies }: SpreadScorerOptions) {
    const requiredKeys = requiresAllTopologies ? constraints.map(({ topologyKey }) => topologyKey) : [];
    this.#requiredKeys = requiredKeys;
    this.#constraints = constraints.map((constraint) => {
      // What runs on the node itself counts, whether the node is eligible or not.
      const isByNode = constraint.topologyKey === HOSTNAME;
      const counted = isByNode ? { ...constraint, honorsAffinity: false, honorsTaints: false } : constraint;
      const options = isByNode ? { requiredKeys: [], byNode: true } : { requiredKeys };
      return { ...constraint, counter: constraintCounter(cluster, pod, counted, options), weight: 0 };
    });
  }

  isCurrent(): boolean {
    return this.#constraints.every(({ counter }) => counter.isLive);
  }

  start(nodes: readonly NodeInfo[]): void {
    for (const constraint of this.#constraints) constraint.weight = Math.log(this.#domainsOf(constraint, nodes) + 2);
  }

  #domainsOf({ topologyKey, counter }: Counted, nodes: readonly NodeInfo[]): number {
    if (topologyKey === HOSTNAME) return nodes.reduce((count, node) => (this.#isIgnored(node) ? count : count + 1), 0);
    const seen = new Set<number | undefined>();
    for (const node of nodes) if (!this.#isIgnored(node)) seen.add(counter.topology?.domains[node.slot]);
    return seen.size;
  }

  #isIgnored({ node }: NodeInfo): boolean {
    for (const key of this.#requiredKeys) if (node.metadata.labels?.[key] === undefined) return true;
    return false;
  }

  score(node: NodeInfo): number {
    if (this.#isIgnored(node)) return 0;
    let score = 0;
    for (const { topologyKey, counter, maxSkew, weight } of this.#constraints) {
      if (node.node.metadata.labels?.[topologyKey] === undefined) continue;
      const domain = counter.topology === undefined ? node.slot : (counter.topology.domains[node.slot] ?? -1);
      score += (counter.counts[domain] ?? 0) * weight + (maxSkew - 1);
    }
    return Math.round(score);
  }

  readonly normalization = (scores: number[], nodes: readonly NodeInfo[]): void => {
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    const isIgnored = nodes.map((node) => this.#isIgnored(node));
    for (let index = 0; index < scores.length; index++) {
      if (isIgnored[index] === true) continue;
      low = Math.min(low, scores[index] ?? 0);
      high = Math.max(high, scores[index] ?? 0);
    }
    for (let index = 0; index < scores.length; index++) {
      if (isIgnored[index] === true) scores[index] = 0;
      else scores[index] = high === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (high + low - (scores[index] ?? 0))) / high);
    }
  };
}
