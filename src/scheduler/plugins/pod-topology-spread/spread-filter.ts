// DoNotSchedule: no domain may get too far ahead of the one with the fewest pods.
import type { ClusterState } from "../../cluster/cluster-state.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodCounter } from "../../cluster/pod-counter.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { type ClusterFilter, type Rejection, rejection } from "../../framework/plugin.ts";
import { type Constraint, constraintCounter } from "./constraints.ts";

const TOO_SKEWED = rejection("node(s) didn't match pod topology spread constraints");
const NO_LABEL = rejection("node(s) didn't match pod topology spread constraints (missing required label)", { isUnresolvable: true });

interface Counted extends Constraint {
  readonly counter: PodCounter;
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
      self: constraint.selector.matches(pod.labels) ? 1 : 0,
    }));
  }

  isCurrent(): boolean {
    return this.#constraints.every(({ counter }) => counter.isLive);
  }

  filter({ node, slot }: NodeInfo): Rejection | undefined {
    for (const { counter, topologyKey, maxSkew, minDomains, self } of this.#constraints) {
      if (node.metadata.labels?.[topologyKey] === undefined) return NO_LABEL;
      const minimum = counter.domainCount < minDomains ? 0 : counter.minimum();
      const domain = counter.topology?.domains[slot] ?? -1;
      const count = (counter.nodes[domain] ?? 0) > 0 ? (counter.counts[domain] ?? 0) : 0;
      if (count + self - minimum > maxSkew) return TOO_SKEWED;
    }
    return undefined;
  }
}
