// Verdicts and scores of pods that every node treats alike. They hold until their node changes, so that placing the next
// pod of a class looks again only at the nodes that changed since.
import type { Random } from "../../base/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { NodeRejection, Plugin, Scoring } from "../framework/plugin.ts";
import { ScoreBuckets } from "./score-buckets.ts";

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
  /** Feasible slots by fixed score. */
  readonly #feasible = new ScoreBuckets();
  /** By slot: how many of the raw scores are not 0; and all of that. */
  readonly #nonZero: number[] = [];
  #nonZeroTotal = 0;
  /** Changes of the cluster that the entries are up to date with; -1: none. */
  #seen = -1;

  constructor(filters: readonly Plugin[], scorings: readonly WeightedScoring[], pod: PodInfo) {
    this.#filters = filters;
    const applying = scorings.filter(({ scoring }) => scoring.applies?.(pod) ?? true);
    this.#fixed = applying.filter(({ scoring }) => scoring.normalization === "none");
    this.scaled = applying.filter(({ scoring }) => scoring.normalization !== "none").map((each) => ({ ...each, raw: [] }));
  }

  /** Looks again at the nodes that have changed; the answers below are up to date then. */
  refresh(pod: PodInfo, cluster: ClusterState): void {
    const { changes, slots } = cluster;
    const changed = this.#seen < 0 ? undefined : changes.since(this.#seen);
    if (changed === undefined) for (let slot = 0; slot < slots.length; slot++) this.#refreshSlot(slot, pod, slots[slot]);
    else for (const slot of changed) this.#refreshSlot(slot, pod, slots[slot]);
    this.#seen = changes.length;
  }

  /** Why the node is none; undefined when it may be one. */
  rejectionOf({ slot }: NodeInfo): NodeRejection | undefined {
    return this.#rejections[slot];
  }

  /** Whether the fixed scores alone tell the better node: the others are 0 everywhere. */
  get isFixedOnly(): boolean {
    return this.#nonZeroTotal === 0;
  }

  /** A feasible slot of the highest fixed score among those that `accepts` agrees to, by chance among equals. */
  bestSlot(random: Random, accepts: (slot: number) => boolean): number | undefined {
    return this.#feasible.best(random, accepts);
  }

  #refreshSlot(slot: number, pod: PodInfo, node: NodeInfo | undefined): void {
    if (node !== undefined && this.#generations[slot] === node.generation) return;
    this.#nonZeroTotal -= this.#nonZero[slot] ?? 0;
    this.#nonZero[slot] = 0;
    this.#generations[slot] = node?.generation ?? 0;
    const rejection = node === undefined ? undefined : firstRejection(this.#filters, pod, node);
    this.#rejections[slot] = rejection;
    if (node === undefined || rejection !== undefined) this.#feasible.set(slot, undefined);
    else this.#score(pod, node);
  }

  #score(pod: PodInfo, node: NodeInfo): void {
    const { slot } = node;
    let fixed = 0;
    for (const { scoring, weight } of this.#fixed) fixed += weight * scoring.score(pod, node);
    fixed = Math.max(0, Math.trunc(fixed));
    this.fixedScores[slot] = fixed;
    this.#feasible.set(slot, fixed);
    for (const { scoring, raw } of this.scaled) {
      const score = scoring.score(pod, node);
      raw[slot] = score;
      if (score !== 0) this.#nonZero[slot] = (this.#nonZero[slot] ?? 0) + 1;
    }
    this.#nonZeroTotal += this.#nonZero[slot] ?? 0;
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
