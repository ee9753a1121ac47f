// Finds a node for a pod: Filter over all nodes, then Score over those that are left.
import type { Random } from "../../base/index.ts";
import { LruMap } from "../../client/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { NodeRejection, Plugin, Rejection } from "../framework/plugin.ts";
import type { Profile } from "../profile/profile.ts";
import { AlikeNodesCache, bestOfKinds } from "./alike-nodes.ts";
import { feasibleNodesToFind, RoundWalk } from "./node-sample.ts";
import { bestNode, NodeScores, type WeightedScorer } from "./node-scores.ts";
import { firstRejection, NodeVerdicts } from "./node-verdicts.ts";
import type { Nominator } from "./nominator.ts";
import { type NamedFilter, narrowedOut, type Prepared, preFilter, type Refused } from "./pre-filter.ts";

/** Classes of pods whose verdicts are remembered. */
const MAX_CLASSES = 256;

/** A pod that fits nowhere: why not, node by node. */
export interface Failure {
  readonly rejections: readonly NodeRejection[];
  /** Set when PreFilter rejected all nodes at once. */
  readonly refused?: Refused;
}

export interface Candidates {
  /** Nodes that take the pod, all or enough of them; valid until the next search. */
  readonly nodes: readonly NodeInfo[];
  readonly verdicts: NodeVerdicts;
}

/** All who have a say about a pod. */
interface Judging {
  readonly filters: readonly NamedFilter[];
  readonly verdicts: NodeVerdicts;
  readonly scorers: readonly WeightedScorer[];
}

export interface PlacerOptions {
  readonly profile: Profile;
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
}

export class Placer {
  readonly #profile: Profile;
  readonly #cluster: ClusterState;
  readonly #nominator: Nominator;
  /** Filters whose verdicts are kept, and all that look at one node. */
  readonly #keptFilters: readonly Plugin[];
  readonly #readers: readonly Plugin[];
  readonly #classes = new LruMap<string, NodeVerdicts>(MAX_CLASSES);
  readonly #alikeNodes: AlikeNodesCache;
  readonly scores: NodeScores;
  /** What the last search found; the array is used again. */
  readonly #found: NodeInfo[] = [];
  /** Through all nodes, from where the last search ended. */
  readonly #walk = new RoundWalk();

  constructor({ profile, cluster, nominator }: PlacerOptions) {
    this.#profile = profile;
    this.#cluster = cluster;
    this.#nominator = nominator;
    this.#keptFilters = profile.enabled.filter.flatMap(({ plugin }) => (plugin.filter && plugin.reads ? [plugin] : []));
    this.#alikeNodes = new AlikeNodesCache(cluster);
    this.scores = new NodeScores(profile, cluster);
    const scoring = profile.enabled.score.flatMap(({ plugin }) => (plugin.scoring && plugin.reads ? [plugin] : []));
    this.#readers = [...new Set([...this.#keptFilters, ...scoring])];
  }

  /** The best node for `pod`, by chance among equals, or why there is none. */
  place(pod: PodInfo, random: Random): NodeInfo | Failure {
    const prepared = preFilter(this.#profile, pod, this.#cluster);
    if ("rejection" in prepared) return { rejections: this.#allNodes(prepared), refused: prepared };
    const node = this.#bestKept(pod, prepared, random);
    if (node !== undefined) return node;
    const found = this.#find(pod, prepared);
    return "rejections" in found ? found : this.best(pod, found, random);
  }

  /** The best node without a look at all of them; undefined when there is none, or it takes such a look. */
  #bestKept(pod: PodInfo, { filters, nodeNames }: Prepared, random: Random): NodeInfo | undefined {
    if (nodeNames !== undefined || !this.#nominator.isEmpty) return undefined;
    const verdicts = this.#verdictsOf(pod);
    const scorers = this.scores.scorersFor(pod);
    const { slots } = this.#cluster;
    const accepts = (slot: number) => slots[slot] !== undefined && passes(filters, slots[slot]);
    const isFixed = scorers.length === 0 && verdicts.isFixedOnly;
    let best = isFixed && filters.length === 0 ? undefined : this.#bestOfKinds({ filters, verdicts, scorers }, random);
    if (isFixed) best ??= verdicts.bestSlot(random, accepts);
    return best === undefined ? undefined : slots[best];
  }

  /** When all who have a say beside what is kept for the pod's class judge nodes by kinds, and there are not too many of these. */
  #bestOfKinds({ filters, verdicts, scorers }: Judging, random: Random): number | undefined {
    const judges = [...filters.map(({ filter }) => filter), ...scorers.map(({ scorer }) => scorer)];
    const enough = feasibleNodesToFind(this.#cluster.nodeCount, this.#profile.percentageOfNodesToScore);
    const alike = this.#alikeNodes.get(verdicts, judges, enough);
    const kinds = alike?.kinds(this.#cluster, enough)?.filter(({ node }) => passes(filters, node));
    if (kinds === undefined) return undefined;
    const sizes = kinds.map(({ size }) => size);
    const totals = this.scores.totals(scorers, { nodes: kinds.map(({ node }) => node), sizes }, verdicts);
    return bestOfKinds(kinds, totals, random);
  }

  /** The best of the candidates, by chance among equals; `extra` has scores by name of the node to be added. */
  best(pod: PodInfo, { nodes, verdicts }: Candidates, random: Random, extra?: Readonly<Record<string, number>>): NodeInfo | Failure {
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) return only;
    const totals = this.scores.totals(this.scores.scorersFor(pod), { nodes }, verdicts);
    if (extra !== undefined) for (const [index, { name }] of nodes.entries()) totals[index] = (totals[index] ?? 0) + (extra[name] ?? 0);
    return bestNode(nodes, totals, random) ?? { rejections: [] };
  }

  /** The nodes that take `pod`, or why there is none. */
  find(pod: PodInfo): Candidates | Failure {
    const prepared = preFilter(this.#profile, pod, this.#cluster);
    return "rejection" in prepared ? { rejections: this.#allNodes(prepared), refused: prepared } : this.#find(pod, prepared);
  }

  #find(pod: PodInfo, prepared: Prepared): Candidates | Failure {
    const verdicts = this.#verdictsOf(pod);
    const nominated = this.#fittingNomination(pod, prepared);
    if (nominated !== undefined) return { nodes: [nominated], verdicts };
    const nodes = this.#search(pod, prepared, verdicts);
    if (nodes.length > 0) return { nodes, verdicts };
    const rejections: NodeRejection[] = [];
    for (const node of this.#cluster.nodes()) {
      const rejection = this.#rejectionOn(node, { pod, prepared, verdicts });
      if (rejection !== undefined) rejections.push(rejection);
    }
    return { rejections };
  }

  /** Why the pod does not fit on the node as the cluster is now; computed anew. */
  rejectionOn(pod: PodInfo, node: NodeInfo): Rejection | undefined {
    const prepared = preFilter(this.#profile, pod, this.#cluster);
    if ("rejection" in prepared) return prepared.rejection;
    return (narrowedOut(prepared, node) ?? this.#rejectionWithNominated(pod, prepared, node))?.rejection;
  }

  /** Per node and plug-in why `pod` may not run there, by all plug-ins that say so. */
  explain(pod: PodInfo): NodeRejection[] {
    const prepared = preFilter(this.#profile, pod, this.#cluster);
    if ("rejection" in prepared) return this.#allNodes(prepared);
    const explanations: NodeRejection[] = [];
    for (const node of this.#cluster.nodes()) {
      const left = narrowedOut(prepared, node);
      if (left !== undefined) explanations.push(left);
      for (const plugin of this.#keptFilters) {
        const rejection = plugin.filter?.(pod, node);
        if (rejection !== undefined) explanations.push({ node, plugin, rejection });
      }
      for (const { plugin, filter } of prepared.filters) {
        const rejection = filter.filter(node);
        if (rejection !== undefined) explanations.push({ node, plugin, rejection });
      }
    }
    return explanations;
  }

  #search(pod: PodInfo, prepared: Prepared, verdicts: NodeVerdicts): readonly NodeInfo[] {
    const found = this.#found;
    found.length = 0;
    const { filters, nodeNames } = prepared;
    const nodes = this.#nodesToSearch(prepared);
    const nodeCount = nodeNames === undefined ? this.#cluster.nodeCount : nodeNames.size;
    const enough = feasibleNodesToFind(nodeCount, this.#profile.percentageOfNodesToScore);
    const walk = nodeNames === undefined ? this.#walk : new RoundWalk();
    walk.resize(nodes.length);
    for (let visited = 0; visited < nodes.length && found.length < enough; visited++) {
      const node = nodes[walk.next()];
      if (node === undefined || verdicts.rejectionOf(node) !== undefined) continue;
      let passes = true;
      for (let index = 0; passes && index < filters.length; index++) passes = filters[index]?.filter.filter(node) === undefined;
      if (passes && this.#rejectionByNominated(pod, prepared, node) === undefined) found.push(node);
    }
    return found;
  }

  #nodesToSearch({ nodeNames }: Prepared): readonly (NodeInfo | undefined)[] {
    if (nodeNames === undefined) return this.#cluster.slots;
    return Array.from(nodeNames, (name) => this.#cluster.node(name));
  }

  /** The node that the pod is nominated for, when it can go there now. */
  #fittingNomination(pod: PodInfo, prepared: Prepared): NodeInfo | undefined {
    const name = this.#nominator.get(pod.uid)?.nodeName;
    const node = name === undefined ? undefined : this.#cluster.node(name);
    if (node === undefined || narrowedOut(prepared, node) !== undefined) return undefined;
    return this.#rejectionWithNominated(pod, prepared, node) === undefined ? node : undefined;
  }

  #rejectionOn(node: NodeInfo, search: { pod: PodInfo; prepared: Prepared; verdicts: NodeVerdicts }): NodeRejection | undefined {
    const { pod, prepared, verdicts } = search;
    const rejection = narrowedOut(prepared, node) ?? verdicts.rejectionOf(node) ?? byFilters(prepared, node);
    return rejection ?? this.#rejectionByNominated(pod, prepared, node);
  }

  #rejectionWithNominated(pod: PodInfo, prepared: Prepared, node: NodeInfo): NodeRejection | undefined {
    const rejection = firstRejection(this.#keptFilters, pod, node) ?? byFilters(prepared, node);
    return rejection ?? this.#rejectionByNominated(pod, prepared, node);
  }

  /** Pods that are nominated for the node and come first are taken to be there, as upstream does. */
  #rejectionByNominated(pod: PodInfo, prepared: Prepared, node: NodeInfo): NodeRejection | undefined {
    const ahead = this.#nominator.isEmpty ? [] : this.#nominator.ahead(pod, node.name);
    if (ahead.length === 0) return undefined;
    return this.#cluster.tryOn(node, () => {
      for (const other of ahead) this.#cluster.setPod(other, node.name);
      const rejection = firstRejection(this.#keptFilters, pod, node) ?? byFilters(prepared, node);
      for (const other of ahead) this.#cluster.removePod(other.uid);
      return rejection;
    });
  }

  #allNodes({ plugin, rejection }: Refused): NodeRejection[] {
    return Array.from(this.#cluster.nodes(), (node) => ({ node, plugin, rejection }));
  }

  /** Up to date with the cluster. */
  #verdictsOf(pod: PodInfo): NodeVerdicts {
    const key = JSON.stringify(this.#readers.map((plugin) => plugin.reads?.(pod)));
    let verdicts = this.#classes.get(key);
    if (verdicts === undefined) {
      verdicts = new NodeVerdicts(this.#keptFilters, this.scores.kept, pod);
      this.#classes.set(key, verdicts);
    }
    verdicts.refresh(pod, this.#cluster);
    return verdicts;
  }
}

function passes(filters: readonly NamedFilter[], node: NodeInfo): boolean {
  return filters.every(({ filter }) => filter.filter(node) === undefined);
}

function byFilters({ filters }: Prepared, node: NodeInfo): NodeRejection | undefined {
  for (const { plugin, filter } of filters) {
    const rejection = filter.filter(node);
    if (rejection !== undefined) return { node, plugin, rejection };
  }
  return undefined;
}
