// Required inter-pod affinity: the pod's own terms, and the anti-affinity of the pods that are there.
import { type AffinityTerm, type Judged, termMatches } from "../../cluster/affinity-term.ts";
import type { CarriedTerm } from "../../cluster/carried-terms.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { NO_DOMAIN } from "../../cluster/topology.ts";
import { type ClusterFilter, type Rejection, rejection } from "../../framework/plugin.ts";

const NO_AFFINITY = rejection("node(s) didn't match pod affinity rules", { isUnresolvable: true });
const ANTI_AFFINITY = rejection("node(s) didn't match pod anti-affinity rules");
const OTHERS_ANTI_AFFINITY = rejection("node(s) didn't satisfy existing pods anti-affinity rules");

/** Counts the pods that all `terms` speak of, by the topology of each. */
export function countersOfAll(cluster: ClusterState, terms: readonly AffinityTerm[]): PodCounter[] {
  const key = terms.map((term) => term.key).join(" ");
  return terms.map(({ topologyKey }) =>
    cluster.counter({
      key: `affinity ${topologyKey} ${key}`,
      topologyKey,
      matches: (group) => terms.every((term) => termMatches(term, group, cluster.namespaceLabels(group.namespace))),
      readsNamespaces: terms.some(({ namespaceSelector }) => !namespaceSelector.isNothing && !namespaceSelector.isEverything),
    }),
  );
}

/** Terms that pods carry and that speak of `pod`. */
export function termsAbout(pod: Judged, carried: Iterable<CarriedTerm>, cluster: ClusterState): CarriedTerm[] {
  const labels = cluster.namespaceLabels(pod.namespace);
  return [...carried].filter(({ term }) => termMatches(term, pod, labels));
}

/** Whether both are of the same elements, in the same order. */
export function hasSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((element, index) => element === others[index]);
}

/** Holds, for all pods of the same labels and terms, while `isCurrent`. */
export class AffinityFilter implements ClusterFilter {
  readonly #affinity: readonly PodCounter[];
  readonly #antiAffinity: readonly PodCounter[];
  readonly #others: readonly CarriedTerm[];
  /** All of them. */
  readonly #counted: readonly (PodCounter | CarriedTerm)[];
  /** Whether the pod satisfies its own affinity: the first of a series may go anywhere. */
  readonly #attractsItself: boolean;
  readonly #cluster: ClusterState;
  readonly #pod: Judged;
  /** Of terms: those that have appeared since then are not known here. */
  #termsVersion: number;
  readonly #namespacesVersion: number;

  constructor(pod: PodInfo, cluster: ClusterState) {
    const { requiredAffinity, requiredAntiAffinity } = pod.terms;
    const labels = cluster.namespaceLabels(pod.namespace);
    this.#cluster = cluster;
    this.#pod = { namespace: pod.namespace, labels: pod.labels };
    this.#termsVersion = cluster.requiredAntiAffinity.version;
    this.#namespacesVersion = cluster.namespacesVersion;
    this.#affinity = countersOfAll(cluster, requiredAffinity);
    this.#antiAffinity = requiredAntiAffinity.flatMap((term) => countersOfAll(cluster, [term]));
    this.#others = termsAbout(pod, cluster.requiredAntiAffinity, cluster);
    this.#counted = [...this.#affinity, ...this.#antiAffinity, ...this.#others];
    this.#attractsItself = requiredAffinity.every((term) => termMatches(term, pod, labels));
  }

  isCurrent(): boolean {
    return (
      this.#namespacesVersion === this.#cluster.namespacesVersion &&
      this.#knowsTerms() &&
      this.#affinity.every(({ isLive }) => isLive) &&
      this.#antiAffinity.every(({ isLive }) => isLive)
    );
  }

  /** Whether none of the terms that have appeared speaks of these pods. */
  #knowsTerms(): boolean {
    const { requiredAntiAffinity } = this.#cluster;
    if (this.#termsVersion === requiredAntiAffinity.version) return true;
    const others = termsAbout(this.#pod, requiredAntiAffinity, this.#cluster);
    if (!hasSame(others, this.#others)) return false;
    this.#termsVersion = requiredAntiAffinity.version;
    return true;
  }

  isActive(): boolean {
    return this.#affinity.length > 0 || this.#antiAffinity.length > 0 || this.#others.length > 0;
  }

  filter({ slot }: NodeInfo): Rejection | undefined {
    if (this.#affinity.length > 0 && !this.#hasAffinity(slot)) return NO_AFFINITY;
    for (const counter of this.#antiAffinity) if (counter.countAt(slot) > 0) return ANTI_AFFINITY;
    for (const { topology, counts } of this.#others) {
      const domain = topology.domains[slot] ?? NO_DOMAIN;
      if (domain !== NO_DOMAIN && (counts[domain] ?? 0) > 0) return OTHERS_ANTI_AFFINITY;
    }
    return undefined;
  }

  likeness({ slot }: NodeInfo): string {
    let likeness = "";
    for (const { topology, counts } of this.#counted) likeness += `${topology?.likeness(slot, counts)} `;
    return likeness;
  }

  #hasAffinity(slot: number): boolean {
    let isMet = true;
    for (const counter of this.#affinity) {
      if (counter.domainOf(slot) === NO_DOMAIN) return false;
      if (counter.countAt(slot) === 0) isMet = false;
    }
    return isMet || (this.#attractsItself && this.#affinity.every(({ total }) => total === 0));
  }
}
