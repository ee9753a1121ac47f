// Nodes by kinds: nodes of one kind are judged alike by all that look further than the node. So each kind is asked about once, and
// of its nodes only the best by the kept scores counts. The best node of all is found without a look at the others.
import { type Random, randomInt } from "../../base/index.ts";
import { LruMap } from "../../client/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { ClusterFilter, ClusterScorer } from "../framework/plugin.ts";
import type { NodeVerdicts } from "./node-verdicts.ts";
import { type Places, ScoreBuckets } from "./score-buckets.ts";

/** One that stands for its kind. */
export interface KindOfNodes {
  /** One of the best. */
  readonly node: NodeInfo;
  /** How many there are, and how many of them are as good as this one. */
  readonly size: number;
  readonly best: readonly number[];
}

type Judge = ClusterFilter | ClusterScorer;
type Likeness = (node: NodeInfo) => string | number;

/** For so many kinds of pods the nodes' kinds are remembered. */
const MAX_REMEMBERED = 64;

/** The kinds of nodes for pods that are judged by the same. */
export class AlikeNodesCache {
  readonly #cluster: ClusterState;
  /** By the first of the judges: as a rule the others are the same as long as that is. */
  readonly #made = new LruMap<object, AlikeNodes>(MAX_REMEMBERED);
  /** How many nodes searches for such pods have looked at. */
  readonly #searched = new WeakMap<object, number>();

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
  }

  /**
   * Up to date, as `verdicts` are. Undefined when one of the judges may tell any two nodes apart, or when searches among `enough`
   * nodes have been less work so far than to sort all nodes by kinds.
   */
  get(verdicts: NodeVerdicts, judges: readonly Judge[], enough: number): AlikeNodes | undefined {
    const [first = verdicts] = judges;
    let alike = this.#made.get(first);
    if (alike?.isOf(verdicts, judges) !== true) {
      const searched = (this.#searched.get(first) ?? 0) + enough;
      this.#searched.set(first, searched);
      alike = searched < this.#cluster.nodeCount ? undefined : AlikeNodes.of(verdicts, judges);
      if (alike === undefined) return undefined;
      this.#searched.delete(first);
      this.#made.set(first, alike);
    }
    alike.refresh(this.#cluster);
    return alike;
  }
}

export class AlikeNodes {
  readonly #verdicts: NodeVerdicts;
  readonly #judges: readonly Judge[];
  readonly #likenesses: readonly Likeness[];
  readonly #kinds = new Map<string, ScoreBuckets>();
  /** By slot. */
  readonly #kindOf: (ScoreBuckets | undefined)[] = [];
  /** A slot is in the buckets of one kind only. */
  readonly #places: Places = [];
  /** Changes that the kinds are up to date with, and the version of the nodes; -1: none. */
  #seen = -1;
  #nodesVersion = -1;

  private constructor(verdicts: NodeVerdicts, judges: readonly Judge[], likenesses: readonly Likeness[]) {
    this.#verdicts = verdicts;
    this.#judges = judges;
    this.#likenesses = likenesses;
  }

  /** Undefined when one of the judges may tell any two nodes apart. */
  static of(verdicts: NodeVerdicts, judges: readonly Judge[]): AlikeNodes | undefined {
    const likenesses = judges.flatMap((judge) => (judge.likeness === undefined ? [] : [judge.likeness.bind(judge)]));
    return likenesses.length < judges.length ? undefined : new AlikeNodes(verdicts, judges, likenesses);
  }

  isOf(verdicts: NodeVerdicts, judges: readonly Judge[]): boolean {
    if (verdicts !== this.#verdicts || judges.length !== this.#judges.length) return false;
    return judges.every((judge, index) => judge === this.#judges[index]);
  }

  /** Looks again at the nodes that have changed. The verdicts are up to date. */
  refresh({ changes, slots, nodesVersion }: ClusterState): void {
    const changed = this.#seen < 0 || this.#nodesVersion !== nodesVersion ? undefined : changes.since(this.#seen);
    // Nodes that changed again and again are looked at but once.
    if (changed === undefined || changed.length > slots.length)
      for (let slot = 0; slot < slots.length; slot++) this.#refreshSlot(slot, slots[slot]);
    else for (const slot of changed) this.#refreshSlot(slot, slots[slot]);
    this.#seen = changes.length;
    this.#nodesVersion = nodesVersion;
  }

  #refreshSlot(slot: number, node: NodeInfo | undefined): void {
    const isFeasible = node !== undefined && this.#verdicts.rejectionOf(node) === undefined;
    const kind = isFeasible ? this.#kindFor(node) : undefined;
    const known = this.#kindOf[slot];
    if (known !== kind) known?.set(slot, undefined);
    kind?.set(slot, this.#verdicts.fixedScores[slot]);
    this.#kindOf[slot] = kind;
  }

  #kindFor(node: NodeInfo): ScoreBuckets {
    let key = "";
    for (const likeness of this.#likenesses) key += `${likeness(node)} `;
    for (const { raw } of this.#verdicts.scaled) key += `${raw[node.slot]} `;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind = new ScoreBuckets(this.#places);
    this.#kinds.set(key, kind);
    return kind;
  }

  /** The kinds that have nodes; undefined when there are more than `limit`. */
  kinds({ slots }: ClusterState, limit: number): readonly KindOfNodes[] | undefined {
    const kinds: KindOfNodes[] = [];
    for (const [key, kind] of this.#kinds) {
      const best = kind.top();
      const node = slots[best?.[0] ?? -1];
      if (best === undefined || node === undefined) this.#kinds.delete(key);
      else kinds.push({ node, size: kind.size, best });
      if (kinds.length > limit) return undefined;
    }
    return kinds;
  }
}

/** A slot of the highest total, by chance among all that are equal; `totals` are those of `kinds`. */
export function bestOfKinds(kinds: readonly KindOfNodes[], totals: readonly number[], random: Random): number | undefined {
  let highest = Number.NEGATIVE_INFINITY;
  for (const total of totals) highest = Math.max(highest, total);
  const bests = kinds.filter((_, index) => totals[index] === highest).map(({ best }) => best);
  const count = bests.reduce((sum, { length }) => sum + length, 0);
  let left = count <= 1 ? 0 : randomInt(random, count);
  for (const best of bests) {
    if (left < best.length) return best[left];
    left -= best.length;
  }
  return undefined;
}
