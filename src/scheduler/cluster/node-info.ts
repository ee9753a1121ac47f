// A node with the pods that are on it or on their way: sums kept up to date as pods come and go.
import type { Node } from "../../api/types/core/v1.ts";
import { type DeepReadonly, quantityMilli, quantityValue } from "../../machinery/index.ts";
import type { PodInfo, ResourceAmounts } from "./pod-info.ts";

export interface Allocatable extends ResourceAmounts {
  readonly pods: number;
}

export class NodeInfo {
  readonly name: string;
  /** Position in the cluster's slots; stays while the node is there. */
  readonly slot: number;
  /** Raised with every change, so that what was computed for an older one is known to be stale. */
  generation = 0;
  readonly pods = new Map<string, PodInfo>();
  cpuMilli = 0;
  memoryBytes = 0;
  ephemeralBytes = 0;
  readonly extended = new Map<string, number>();
  scoredCpuMilli = 0;
  scoredMemoryBytes = 0;
  #node: DeepReadonly<Node>;
  #allocatable: Allocatable;
  readonly #nextGeneration: (slot: number) => number;

  /** `nextGeneration` is told of each change; it answers a number that no node has had. */
  constructor(node: DeepReadonly<Node>, slot: number, nextGeneration: (slot: number) => number) {
    this.name = node.metadata.name ?? "";
    this.slot = slot;
    this.#node = node;
    this.#allocatable = allocatableOf(node);
    this.#nextGeneration = nextGeneration;
    this.generation = nextGeneration(slot);
  }

  get node(): DeepReadonly<Node> {
    return this.#node;
  }

  get allocatable(): Allocatable {
    return this.#allocatable;
  }

  setNode(node: DeepReadonly<Node>): void {
    if (node.status?.allocatable !== this.#node.status?.allocatable) this.#allocatable = allocatableOf(node);
    this.#node = node;
    this.generation = this.#nextGeneration(this.slot);
  }

  addPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    this.#count(pod, 1);
  }

  removePod(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    this.pods.delete(uid);
    this.#count(pod, -1);
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    this.cpuMilli += sign * pod.requests.cpuMilli;
    this.memoryBytes += sign * pod.requests.memoryBytes;
    this.ephemeralBytes += sign * pod.requests.ephemeralBytes;
    for (const [name, amount] of pod.requests.extended) this.extended.set(name, (this.extended.get(name) ?? 0) + sign * amount);
    this.scoredCpuMilli += sign * pod.scoredCpuMilli;
    this.scoredMemoryBytes += sign * pod.scoredMemoryBytes;
    this.generation = this.#nextGeneration(this.slot);
  }
}

function allocatableOf(node: DeepReadonly<Node>): Allocatable {
  const { cpu = "0", memory = "0", "ephemeral-storage": ephemeral = "0", pods = "0", ...rest } = node.status?.allocatable ?? {};
  return {
    cpuMilli: quantityMilli(cpu),
    memoryBytes: quantityValue(memory),
    ephemeralBytes: quantityValue(ephemeral),
    pods: quantityValue(pods),
    extended: new Map(Object.entries(rest).map(([name, amount]) => [name, quantityValue(amount)])),
  };
}
