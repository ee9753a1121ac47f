// Score: the best of the nodes that take a pod.
import { type Random, randomInt } from "../../base/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { ClusterScorer } from "../framework/plugin.ts";
import type { Profile, WeightedPlugin } from "../profile/profile.ts";
import type { NodeVerdicts, WeightedScoring } from "./node-verdicts.ts";
import { normalize } from "./normalize.ts";

export interface WeightedScorer {
  readonly scorer: ClusterScorer;
  readonly weight: number;
}

export interface ScoredNodes {
  readonly nodes: readonly NodeInfo[];
  /** How many nodes each of them stands for; without it, for itself. */
  readonly sizes?: readonly number[];
}

export class NodeScores {
  /** Scores that are kept per class of pods. */
  readonly kept: readonly WeightedScoring[];
  /** Those asked anew for each pod. */
  readonly #asked: readonly WeightedPlugin[];
  readonly #preScore: readonly WeightedPlugin[];
  readonly #cluster: ClusterState;
  readonly #totals: number[] = [];
  readonly #scores: number[] = [];

  constructor({ enabled }: Profile, cluster: ClusterState) {
    this.#cluster = cluster;
    const scoring = enabled.score.filter(({ plugin }) => plugin.scoring !== undefined);
    this.kept = scoring.flatMap(({ plugin, weight }) => (plugin.scoring && plugin.reads ? [{ scoring: plugin.scoring, weight }] : []));
    this.#asked = scoring.filter(({ plugin }) => plugin.reads === undefined);
    const isPreScored = new Set(enabled.preScore.map(({ plugin }) => plugin));
    this.#preScore = enabled.score.filter(({ plugin }) => isPreScored.has(plugin));
  }

  /** The weighted sum of all scores of each node; valid until the next call. `nodes` are known to `verdicts`. */
  totals(scorers: readonly WeightedScorer[], { nodes, sizes }: ScoredNodes, verdicts: NodeVerdicts): number[] {
    const totals = this.#totals;
    totals.length = nodes.length;
    for (let index = 0; index < nodes.length; index++) totals[index] = verdicts.fixedScores[nodes[index]?.slot ?? 0] ?? 0;
    for (const { scoring, weight, raw } of verdicts.scaled) {
      this.#addNormalized({ scorer: { normalization: scoring.normalization, score: ({ slot }) => raw[slot] ?? 0 }, weight }, nodes);
    }
    for (const scorer of scorers) {
      scorer.scorer.start?.(nodes, sizes);
      this.#addNormalized(scorer, nodes);
    }
    return totals;
  }

  /** Those that are not kept and tell nodes apart. */
  scorersFor(pod: PodInfo): readonly WeightedScorer[] {
    const scorers: WeightedScorer[] = [];
    for (const { plugin, weight } of this.#preScore) {
      const scorer = plugin.preScore?.(pod, this.#cluster);
      if (scorer !== undefined && (scorer.isActive?.() ?? true)) scorers.push({ scorer, weight });
    }
    for (const { plugin, weight } of this.#asked) {
      const { scoring } = plugin;
      if (scoring === undefined || scoring.applies?.(pod) === false) continue;
      scorers.push({ scorer: { normalization: scoring.normalization, score: (node) => scoring.score(pod, node) }, weight });
    }
    return scorers;
  }

  #addNormalized({ scorer, weight }: WeightedScorer, nodes: readonly NodeInfo[]): void {
    const scores = this.#scores;
    scores.length = nodes.length;
    let areEqual = true;
    for (let index = 0; index < nodes.length; index++) {
      scores[index] = scorer.score(nodes[index] as NodeInfo);
      areEqual &&= scores[index] === scores[0];
    }
    // Scaling keeps equal scores equal, and those change no order.
    if (areEqual && typeof scorer.normalization === "string") return;
    normalize(scorer.normalization, scores, nodes);
    const totals = this.#totals;
    for (let index = 0; index < nodes.length; index++) totals[index] = (totals[index] ?? 0) + weight * (scores[index] ?? 0);
  }
}

/** A node of the highest score, by chance among equals. */
export function bestNode(nodes: readonly NodeInfo[], totals: readonly number[], random: Random): NodeInfo | undefined {
  let best = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const total of totals) {
    if (total > best) {
      best = total;
      count = 0;
    }
    if (total === best) count++;
  }
  let left = count <= 1 ? 0 : randomInt(random, count);
  for (let index = 0; index < totals.length; index++) if (totals[index] === best && left-- === 0) return nodes[index];
  return undefined;
}
