// The scheduler's picture of the cluster: nodes in numbered slots, the pods assigned or assumed to them, and counts that
// follow every change.
import type { Node } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import { CarriedTerms } from "./carried-terms.ts";
import { ChangeLog } from "./change-log.ts";
import { ImageIndex } from "./images.ts";
import { NodeInfo } from "./node-info.ts";
import type { PodCounter, PodCounterSpec } from "./pod-counter.ts";
import { PodGroups } from "./pod-groups.ts";
import type { PodInfo } from "./pod-info.ts";
import { Topology } from "./topology.ts";

type Labels = Readonly<Record<string, string>>;

export interface PodPlace {
  readonly nodeName: string;
  readonly pod: PodInfo;
}

const NO_LABELS: Labels = {};

export class ClusterState {
  /** Free slots hold undefined and are used again. */
  readonly slots: (NodeInfo | undefined)[] = [];
  /** Terms of assigned pods that keep other pods away, draw them, or rather would. */
  readonly requiredAntiAffinity = new CarriedTerms();
  readonly requiredAffinity = new CarriedTerms();
  readonly preferred = new CarriedTerms();
  readonly images = new ImageIndex();
  /** Changes of nodes, their pods included. */
  readonly changes = new ChangeLog();
  /** Raised when a node comes or goes, or changes its labels or taints. */
  nodesVersion = 0;
  /** Raised when a namespace's labels change. */
  namespacesVersion = 0;
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #places = new Map<string, PodPlace>();
  /** Pods of nodes that are not known (yet), by node and uid. */
  readonly #strays = new Map<string, Map<string, PodInfo>>();
  readonly #freeSlots: number[] = [];
  readonly #topologies = new Map<string, Topology>();
  readonly #groups = new PodGroups();
  readonly #namespaces = new Map<string, Labels>();
  readonly #claimUsers = new Map<string, number>();

  get nodeCount(): number {
    return this.#nodes.size;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  nodes(): Iterable<NodeInfo> {
    return this.#nodes.values();
  }

  setNode(node: DeepReadonly<Node>): void {
    const name = node.metadata.name ?? "";
    const known = this.#nodes.get(name);
    if (known === undefined) this.#addNode(name, node);
    else this.#updateNode(known, node);
  }

  #addNode(name: string, node: DeepReadonly<Node>): void {
    const slot = this.#freeSlots.pop() ?? this.slots.length;
    const info = new NodeInfo(node, slot, (changed) => this.changes.add(changed));
    this.slots[slot] = info;
    this.#nodes.set(name, info);
    this.#attach(info);
    this.images.set(slot, undefined, node);
    const strays = this.#strays.get(name);
    this.#strays.delete(name);
    for (const pod of strays?.values() ?? []) this.#count(info, pod, 1);
  }

  #updateNode(info: NodeInfo, node: DeepReadonly<Node>): void {
    const old = info.node;
    if (!deepEqual(old.status?.images, node.status?.images)) this.images.set(info.slot, old, node);
    if (hasSameShape(old, node)) {
      info.setNode(node);
      return;
    }
    for (const pod of info.pods.values()) this.#countForOthers(info, pod, -1);
    this.#groups.detachNode(info.slot);
    info.setNode(node);
    this.#attach(info);
    for (const pod of info.pods.values()) this.#countForOthers(info, pod, 1);
  }

  #attach(info: NodeInfo): void {
    this.nodesVersion++;
    for (const topology of this.#topologies.values()) topology.set(info.slot, info.node);
    this.#groups.attachNode(info);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    const pods = new Map(info.pods);
    for (const pod of pods.values()) this.#count(info, pod, -1);
    this.nodesVersion++;
    this.#groups.detachNode(info.slot);
    for (const topology of this.#topologies.values()) topology.clear(info.slot);
    this.images.set(info.slot, info.node, undefined);
    this.#nodes.delete(name);
    this.slots[info.slot] = undefined;
    this.changes.add(info.slot);
    this.#freeSlots.push(info.slot);
    if (pods.size > 0) this.#strays.set(name, pods);
  }

  /** Where the pod is assigned or assumed to run. */
  placeOfPod(uid: string): PodPlace | undefined {
    return this.#places.get(uid);
  }

  /** Puts a pod on a node, in place of where it stood before. */
  setPod(pod: PodInfo, nodeName: string): void {
    this.removePod(pod.uid);
    this.#places.set(pod.uid, { nodeName, pod });
    const node = this.#nodes.get(nodeName);
    if (node !== undefined) {
      this.#count(node, pod, 1);
      return;
    }
    const strays = this.#strays.get(nodeName) ?? new Map<string, PodInfo>();
    this.#strays.set(nodeName, strays.set(pod.uid, pod));
  }

  removePod(uid: string): void {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    this.#places.delete(uid);
    const node = this.#nodes.get(place.nodeName);
    if (node !== undefined) {
      this.#count(node, place.pod, -1);
      return;
    }
    const strays = this.#strays.get(place.nodeName);
    strays?.delete(uid);
    if (strays?.size === 0) this.#strays.delete(place.nodeName);
  }

  /** Runs `attempt`, which must leave the node's pods as they were: what was computed for the node before still holds. */
  tryOn<T>(node: NodeInfo, attempt: () => T): T {
    const { generation } = node;
    try {
      return attempt();
    } finally {
      node.generation = generation;
    }
  }

  setNamespace(name: string, labels: Labels | undefined): void {
    if (deepEqual(this.namespaceLabels(name), labels ?? NO_LABELS)) return;
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
    this.namespacesVersion++;
    this.#groups.dropNamespaceReaders();
  }

  namespaceLabels(name: string): Labels {
    return this.#namespaces.get(name) ?? NO_LABELS;
  }

  /** How many pods on nodes use the claim of that key. */
  claimUsers(key: string): number {
    return this.#claimUsers.get(key) ?? 0;
  }

  /** The domains of a topology key. */
  topology(key: string): Topology {
    const known = this.#topologies.get(key);
    if (known !== undefined) return known;
    const topology = new Topology(key);
    for (const node of this.#nodes.values()) topology.set(node.slot, node.node);
    this.#topologies.set(key, topology);
    return topology;
  }

  /** Counts pods from now on (while `isLive`); the same key is the same counter. */
  counter(spec: PodCounterSpec): PodCounter {
    return this.#groups.counter(spec, spec.topologyKey === undefined ? undefined : this.topology(spec.topologyKey), this.slots);
  }

  #count(node: NodeInfo, pod: PodInfo, delta: 1 | -1): void {
    if (delta === 1) node.addPod(pod);
    else node.removePod(pod.uid);
    this.#countForOthers(node, pod, delta);
  }

  /** What pods on other nodes may look at. */
  #countForOthers({ slot }: NodeInfo, pod: PodInfo, delta: 1 | -1): void {
    this.#groups.add(pod, slot, delta);
    for (const key of pod.claims) this.#claimUsers.set(key, this.claimUsers(key) + delta);
    const { requiredAntiAffinity, requiredAffinity, preferred } = pod.terms;
    const place = (topologyKey: string) => ({ slot, topology: this.topology(topologyKey), delta });
    for (const term of requiredAntiAffinity) this.requiredAntiAffinity.add(place(term.topologyKey), term);
    for (const term of requiredAffinity) this.requiredAffinity.add(place(term.topologyKey), term);
    for (const { term, weight } of preferred) this.preferred.add(place(term.topologyKey), term, weight);
  }
}

/** Whether topologies and eligibility are the same. */
function hasSameShape(old: DeepReadonly<Node>, node: DeepReadonly<Node>): boolean {
  return (
    deepEqual(old.metadata.labels, node.metadata.labels) &&
    deepEqual(old.spec?.taints, node.spec?.taints) &&
    old.spec?.unschedulable === node.spec?.unschedulable
  );
}
