// DoNotSchedule: no domain may get too far ahead of the one with the fewest pods.
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { NO_DOMAIN, type Topology } from "../../cluster/topology.ts";
import { type ClusterFilter, type Rejection, rejection } from "../../framework/plugin.ts";
import { type Constraint, constraintCounter } from "./constraints.ts";

const TOO_SKEWED = rejection("node(s) didn't match pod topology spread constraints");
const NO_LABEL = rejection("node(s) didn't match pod topology spread constraints (missing required label)", { isUnresolvable: true });

interface Counted extends Constraint {
  readonly counter: PodCounter;
  readonly topology: Topology;
  /** 1 when the pod counts itself. */
  readonly self: number;
}

/** Holds, for all pods of the same `spreadKey`, while `isCurrent`. */
export class SpreadFilter implements ClusterFilter {
  readonly #constraints: readonly Counted[];

  constructor(pod: PodInfo, cluster: ClusterState, constraints: readonly Constraint[]) {
    const requiredKeys = constraints.map(({ topologyKey }) => topologyKey);
    this.#constraints = constraints.map((constraint) => ({
      ...constraint,
      counter: constraintCounter(cluster, pod, constraint, { requiredKeys }),
      topology: cluster.topology(constraint.topologyKey),
      self: constraint.selector.matches(pod.labels) ? 1 : 0,
    }));
  }

  isCurrent(): boolean {
    return this.#constraints.every(({ counter }) => counter.isLive);
  }

  likeness({ slot }: NodeInfo): string {
    let likeness = "";
    for (const { topology, counter } of this.#constraints) likeness += `${topology.likeness(slot, counter.counts)} `;
    return likeness;
  }

  filter({ slot }: NodeInfo): Rejection | undefined {
    for (const { counter, topology, maxSkew, minDomains, self } of this.#constraints) {
      const domain = topology.domains[slot] ?? NO_DOMAIN;
      if (domain === NO_DOMAIN) return NO_LABEL;
      const minimum = counter.domainCount < minDomains ? 0 : counter.minimum();
      const count = (counter.nodes[domain] ?? 0) > 0 ? (counter.counts[domain] ?? 0) : 0;
      if (count + self - minimum > maxSkew) return TOO_SKEWED;
    }
    return undefined;
  }
}
