// Preferred inter-pod affinity: of the pod for others, and of the others for the pod.
import type { Judged } from "../../cluster/affinity-term.ts";
import type { CarriedTerm } from "../../cluster/carried-terms.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { NO_DOMAIN } from "../../cluster/topology.ts";
import { type ClusterScorer, MAX_SCORE } from "../../framework/plugin.ts";
import { countersOfAll, hasSame, termsAbout } from "./affinity-filter.ts";

export interface InterPodAffinityArgs {
  /** How much the required affinity of the pods that are there draws a pod that it speaks of; 0 to 100. */
  readonly hardPodAffinityWeight?: number;
  /** Pods without preferences of their own then get no score from those of others. */
  readonly ignorePreferredTermsOfExistingPods?: boolean;
}

interface Weighed<T> {
  readonly counts: T;
  readonly weight: number;
}

/** From the lowest score to the highest, which may be negative. */
function minMax(scores: number[]): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  for (let index = 0; index < scores.length; index++) {
    scores[index] = high > low ? Math.trunc((MAX_SCORE * ((scores[index] ?? 0) - low)) / (high - low)) : 0;
  }
}

/** Holds, for all pods of the same labels and terms, while `isCurrent`. */
export class AffinityScorer implements ClusterScorer {
  readonly normalization = minMax;
  readonly #own: readonly Weighed<PodCounter>[];
  readonly #others: readonly Weighed<CarriedTerm>[];
  readonly #cluster: ClusterState;
  readonly #pod: Judged;
  readonly #args: InterPodAffinityArgs;
  readonly #hasPreferences: boolean;
  /** Of terms: those that have appeared since then are not known here. */
  #version: string;

  constructor(pod: PodInfo, cluster: ClusterState, args: InterPodAffinityArgs) {
    const { preferred } = pod.terms;
    this.#cluster = cluster;
    this.#pod = { namespace: pod.namespace, labels: pod.labels };
    this.#args = args;
    this.#hasPreferences = preferred.length > 0;
    this.#version = versionOf(cluster);
    this.#own = preferred.flatMap(({ term, weight }) => countersOfAll(cluster, [term]).map((counts) => ({ counts, weight })));
    this.#others = this.#termsOfOthers();
  }

  #termsOfOthers(): Weighed<CarriedTerm>[] {
    const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = this.#args;
    if (!this.#hasPreferences && ignorePreferredTermsOfExistingPods) return [];
    const { preferred, requiredAffinity } = this.#cluster;
    const hard = hardPodAffinityWeight === 0 ? [] : termsAbout(this.#pod, requiredAffinity, this.#cluster);
    return [
      ...termsAbout(this.#pod, preferred, this.#cluster).map((counts) => ({ counts, weight: counts.weight })),
      ...hard.map((counts) => ({ counts, weight: hardPodAffinityWeight })),
    ];
  }

  isCurrent(): boolean {
    return this.#knowsTerms() && this.#own.every(({ counts }) => counts.isLive);
  }

  /** Whether none of the terms that have appeared speaks of these pods. */
  #knowsTerms(): boolean {
    const version = versionOf(this.#cluster);
    if (this.#version === version) return true;
    const termOf = ({ counts }: Weighed<CarriedTerm>) => counts;
    if (!hasSame(this.#termsOfOthers().map(termOf), this.#others.map(termOf))) return false;
    this.#version = version;
    return true;
  }

  isActive(): boolean {
    return this.#own.length > 0 || this.#others.length > 0;
  }

  likeness({ slot }: NodeInfo): string {
    let likeness = "";
    for (const { counts } of this.#own) likeness += `${counts.topology?.likeness(slot, counts.counts)} `;
    for (const { counts } of this.#others) likeness += `${counts.topology.likeness(slot, counts.counts)} `;
    return likeness;
  }

  score({ slot }: NodeInfo): number {
    let score = 0;
    for (const { counts, weight } of this.#own) score += weight * counts.countAt(slot);
    for (const { counts, weight } of this.#others) {
      const domain = counts.topology.domains[slot] ?? NO_DOMAIN;
      if (domain !== NO_DOMAIN) score += weight * (counts.counts[domain] ?? 0);
    }
    return score;
  }
}

function versionOf({ preferred, requiredAffinity, namespacesVersion }: ClusterState): string {
  return `${preferred.version} ${requiredAffinity.version} ${namespacesVersion}`;
}
