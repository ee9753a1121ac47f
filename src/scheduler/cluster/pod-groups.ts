// Counts of assigned pods by what selectors ask for: groups of like pods, and the counters over them.
import type { NodeInfo } from "./node-info.ts";
import { PodCounter, type PodCounterSpec } from "./pod-counter.ts";
import { addToGroup, type PodGroup } from "./pod-group.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Topology } from "./topology.ts";

/** Counters kept; the one not asked for longest is dropped beyond that. */
const MAX_COUNTERS = 1024;

export class PodGroups {
  readonly #groups = new Map<string, PodGroup>();
  /** By their key; the one asked for last stands last. */
  readonly #counters = new Map<string, PodCounter>();

  /** The counter of that meaning, made from `nodes` and the pods known when there is none. */
  counter(spec: PodCounterSpec, topology: Topology | undefined, nodes: readonly (NodeInfo | undefined)[]): PodCounter {
    const known = this.#counters.get(spec.key);
    if (known !== undefined) {
      this.#counters.delete(spec.key);
      this.#counters.set(spec.key, known);
      return known;
    }
    const counter = new PodCounter(spec, topology);
    this.#counters.set(spec.key, counter);
    for (const node of nodes) if (node !== undefined) counter.attachNode(node);
    for (const group of this.#groups.values()) if (spec.matches(group)) enlist(group, counter);
    for (const oldest of this.#counters.values()) {
      if (this.#counters.size <= MAX_COUNTERS) break;
      this.#drop(oldest);
    }
    return counter;
  }

  add(pod: PodInfo, slot: number, delta: 1 | -1): void {
    const group = this.#groups.get(pod.groupKey) ?? this.#makeGroup(pod);
    addToGroup(group, slot, delta);
    for (const counter of group.counters) counter.add(slot, delta);
    if (group.bySlot.size === 0) this.#groups.delete(group.key);
  }

  attachNode(node: NodeInfo): void {
    for (const counter of this.#counters.values()) counter.attachNode(node);
  }

  detachNode(slot: number): void {
    for (const counter of this.#counters.values()) counter.detachNode(slot);
  }

  /** Drops the counters that look at namespaces' labels. */
  dropNamespaceReaders(): void {
    for (const counter of [...this.#counters.values()]) if (counter.spec.readsNamespaces === true) this.#drop(counter);
  }

  #makeGroup(pod: PodInfo): PodGroup {
    const group: PodGroup = {
      key: pod.groupKey,
      namespace: pod.namespace,
      labels: pod.labels,
      isTerminating: pod.isTerminating,
      bySlot: new Map(),
      counters: [],
    };
    for (const counter of this.#counters.values()) if (counter.spec.matches(group)) group.counters.push(counter);
    this.#groups.set(group.key, group);
    return group;
  }

  #drop(counter: PodCounter): void {
    counter.isLive = false;
    this.#counters.delete(counter.spec.key);
    for (const { counters } of this.#groups.values()) {
      const index = counters.indexOf(counter);
      if (index >= 0) counters.splice(index, 1);
    }
  }
}

function enlist(group: PodGroup, counter: PodCounter): void {
  group.counters.push(counter);
  for (const [slot, count] of group.bySlot) counter.add(slot, count);
}
