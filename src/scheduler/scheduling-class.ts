// Verdicts and scores for pods that every node treats alike. A verdict holds until its node changes, so that placing the
// next pod of a class looks again only at the nodes that changed since.
import { type Random, randomInt } from "../base/index.ts";
import type { ClusterState } from "./cluster-state.ts";
import { MAX_SCORE, type Rejection, type ScheduledPlugin, type Scoring } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export interface NodeRejection {
  readonly node: NodeInfo;
  readonly plugin: ScheduledPlugin;
  readonly rejection: Rejection;
}

export type Placement = { readonly node: NodeInfo } | { readonly rejections: readonly NodeRejection[] };

interface Scaled {
  readonly scoring: Scoring;
  /** Raw scores by slot. */
  readonly raw: number[];
}

export class SchedulingClass {
  readonly #plugins: readonly ScheduledPlugin[];
  /** Scores that need no scaling; their weighted sum stands in `#fixedScores`. */
  readonly #fixed: readonly Scoring[];
  readonly #scaled: readonly Scaled[];
  /** By slot: the node generation that the slot's other entries are for. */
  readonly #generations: number[] = [];
  readonly #isFeasible: boolean[] = [];
  readonly #fixedScores: number[] = [];
  /** Slots of equal score, found by the search under way. */
  readonly #bestSlots: number[] = [];

  constructor(plugins: readonly ScheduledPlugin[], pod: PodInfo) {
    this.#plugins = plugins;
    const scorings = plugins.flatMap((plugin) => plugin.scoring ?? []).filter((scoring) => scoring.applies?.(pod) ?? true);
    this.#fixed = scorings.filter((scoring) => scoring.normalization === "none");
    this.#scaled = scorings.filter((scoring) => scoring.normalization !== "none").map((scoring) => ({ scoring, raw: [] }));
  }

  /** The best node for `pod` (by chance among equals), or why each node is none. */
  place(pod: PodInfo, state: ClusterState, random: Random): Placement {
    const { slots } = state;
    for (const node of slots) if (node !== undefined && this.#generations[node.slot] !== node.generation) this.#evaluate(pod, node);
    const best = this.#best(slots, random);
    return best === undefined ? { rejections: this.#rejections(pod, slots) } : { node: best };
  }

  #evaluate(pod: PodInfo, node: NodeInfo): void {
    const { slot } = node;
    this.#generations[slot] = node.generation;
    const isFeasible = this.#plugins.every((plugin) => plugin.filter?.(pod, node) === undefined);
    this.#isFeasible[slot] = isFeasible;
    if (!isFeasible) return;
    let fixed = 0;
    for (const scoring of this.#fixed) fixed += scoring.weight * scoring.score(pod, node);
    this.#fixedScores[slot] = fixed;
    for (const { scoring, raw } of this.#scaled) raw[slot] = scoring.score(pod, node);
  }

  #best(slots: readonly (NodeInfo | undefined)[], random: Random): NodeInfo | undefined {
    const maxima = this.#scaled.map(({ raw }) => this.#maximum(slots, raw));
    const best = this.#bestSlots;
    best.length = 0;
    let bestScore = -1;
    for (let slot = 0; slot < slots.length; slot++) {
      if (slots[slot] === undefined || this.#isFeasible[slot] !== true) continue;
      const score = this.#total(slot, maxima);
      if (score < bestScore) continue;
      if (score > bestScore) best.length = 0;
      bestScore = score;
      best.push(slot);
    }
    return best.length === 0 ? undefined : slots[best[randomInt(random, best.length)] as number];
  }

  #maximum(slots: readonly (NodeInfo | undefined)[], raw: readonly number[]): number {
    let maximum = 0;
    for (let slot = 0; slot < slots.length; slot++) {
      if (slots[slot] !== undefined && this.#isFeasible[slot] === true) maximum = Math.max(maximum, raw[slot] ?? 0);
    }
    return maximum;
  }

  #total(slot: number, maxima: readonly number[]): number {
    let total = this.#fixedScores[slot] ?? 0;
    for (let i = 0; i < this.#scaled.length; i++) {
      const { scoring, raw } = this.#scaled[i] as Scaled;
      total += scoring.weight * scale(raw[slot] ?? 0, maxima[i] ?? 0, scoring);
    }
    return total;
  }

  /** Why each node is rejected, by the first plugin that does; computed only when no node is left. */
  #rejections(pod: PodInfo, slots: readonly (NodeInfo | undefined)[]): NodeRejection[] {
    return slots.flatMap((node) => {
      if (node === undefined) return [];
      for (const plugin of this.#plugins) {
        const rejection = plugin.filter?.(pod, node);
        if (rejection !== undefined) return [{ node, plugin, rejection }];
      }
      return [];
    });
  }
}

function scale(raw: number, maximum: number, { normalization }: Scoring): number {
  if (normalization === "reverseMax") return maximum === 0 ? MAX_SCORE : MAX_SCORE - Math.floor((raw * MAX_SCORE) / maximum);
  return maximum === 0 ? 0 : Math.floor((raw * MAX_SCORE) / maximum);
}
