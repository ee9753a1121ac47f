// The scheduler's picture of the cluster: nodes in numbered slots, and the pods assigned or assumed to them.
import type { Node } from "../api/types/core/v1.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export class ClusterState {
  /** Free slots hold undefined and are used again. */
  readonly slots: (NodeInfo | undefined)[] = [];
  readonly #nodes = new Map<string, NodeInfo>();
  /** Where each known pod stands; pods of nodes that are not known (yet) included. */
  readonly #podNodes = new Map<string, { readonly nodeName: string; readonly pod: PodInfo }>();
  readonly #freeSlots: number[] = [];
  #generation = 0;

  get nodeCount(): number {
    return this.#nodes.size;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: DeepReadonly<Node>): void {
    const name = node.metadata.name ?? "";
    const known = this.#nodes.get(name);
    if (known !== undefined) {
      known.setNode(node);
      return;
    }
    const slot = this.#freeSlots.pop() ?? this.slots.length;
    const info = new NodeInfo(node, slot, () => ++this.#generation);
    this.slots[slot] = info;
    this.#nodes.set(name, info);
    for (const { nodeName, pod } of this.#podNodes.values()) if (nodeName === name) info.addPod(pod);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#nodes.delete(name);
    this.slots[info.slot] = undefined;
    this.#freeSlots.push(info.slot);
  }

  /** Where the pod is assigned or assumed to run. */
  placeOfPod(uid: string): { readonly nodeName: string; readonly pod: PodInfo } | undefined {
    return this.#podNodes.get(uid);
  }

  /** Puts a pod on a node, in place of where it stood before. */
  setPod(pod: PodInfo, nodeName: string): void {
    this.removePod(pod.uid);
    this.#podNodes.set(pod.uid, { nodeName, pod });
    this.#nodes.get(nodeName)?.addPod(pod);
  }

  removePod(uid: string): void {
    const place = this.#podNodes.get(uid);
    if (place === undefined) return;
    this.#podNodes.delete(uid);
    this.#nodes.get(place.nodeName)?.removePod(uid);
  }
}
