// Verdicts and scores of pods that every node treats alike. They hold until their node changes, so that placing the next
// pod of a class looks again only at the nodes that changed since.
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { NodeRejection, Plugin, Scoring } from "../framework/plugin.ts";

export interface WeightedScoring {
  readonly scoring: Scoring;
  readonly weight: number;
}

export class NodeVerdicts {
  readonly #filters: readonly Plugin[];
  /** Scores that need no scaling; their weighted sum stands in `fixedScores`. */
  readonly #fixed: readonly WeightedScoring[];
  /** By slot: the node generation that the slot's other entries are for. */
  readonly #generations: number[] = [];
  /** By slot: why the node is none; undefined for a feasible one. */
  readonly #rejections: (NodeRejection | undefined)[] = [];
  readonly fixedScores: number[] = [];
  /** Scores that are scaled by what other nodes score, raw, by slot. */
  readonly scaled: readonly (WeightedScoring & { readonly raw: number[] })[];

  constructor(filters: readonly Plugin[], scorings: readonly WeightedScoring[], pod: PodInfo) {
    this.#filters = filters;
    const applying = scorings.filter(({ scoring }) => scoring.applies?.(pod) ?? true);
    this.#fixed = applying.filter(({ scoring }) => scoring.normalization === "none");
    this.scaled = applying.filter(({ scoring }) => scoring.normalization !== "none").map((each) => ({ ...each, raw: [] }));
  }

  /** Why the node is none for `pod`; undefined when it may be one. Then its scores are up to date too. */
  rejectionOf(pod: PodInfo, node: NodeInfo): NodeRejection | undefined {
    if (this.#generations[node.slot] !== node.generation) this.#evaluate(pod, node);
    return this.#rejections[node.slot];
  }

  #evaluate(pod: PodInfo, node: NodeInfo): void {
    const { slot } = node;
    this.#generations[slot] = node.generation;
    const rejection = firstRejection(this.#filters, pod, node);
    this.#rejections[slot] = rejection;
    if (rejection !== undefined) return;
    let fixed = 0;
    for (const { scoring, weight } of this.#fixed) fixed += weight * scoring.score(pod, node);
    this.fixedScores[slot] = fixed;
    for (const { scoring, raw } of this.scaled) raw[slot] = scoring.score(pod, node);
  }
}

/** By the first of the plug-ins that rejects, as upstream does. */
export function firstRejection(filters: readonly Plugin[], pod: PodInfo, node: NodeInfo): NodeRejection | undefined {
  for (const plugin of filters) {
    const rejection = plugin.filter?.(pod, node);
    if (rejection !== undefined) return { node, plugin, rejection };
  }
  return undefined;
}
