// Pods that wait for room on a node of their own: it is kept from pods of lower priority.
import type { PodInfo } from "../cluster/pod-info.ts";

export interface Nomination {
  readonly nodeName: string;
  readonly pod: PodInfo;
}

export class Nominator {
  readonly #byPod = new Map<string, Nomination>();
  readonly #byNode = new Map<string, Map<string, PodInfo>>();

  get isEmpty(): boolean {
    return this.#byPod.size === 0;
  }

  get(uid: string): Nomination | undefined {
    return this.#byPod.get(uid);
  }

  /** Nominates the pod for a node, in place of an earlier one. */
  set(pod: PodInfo, nodeName: string): void {
    this.delete(pod.uid);
    this.#byPod.set(pod.uid, { nodeName, pod });
    const pods = this.#byNode.get(nodeName) ?? new Map<string, PodInfo>();
    this.#byNode.set(nodeName, pods.set(pod.uid, pod));
  }

  delete(uid: string): void {
    const nomination = this.#byPod.get(uid);
    if (nomination === undefined) return;
    this.#byPod.delete(uid);
    const pods = this.#byNode.get(nomination.nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nomination.nodeName);
  }

  on(nodeName: string): Iterable<PodInfo> {
    return this.#byNode.get(nodeName)?.values() ?? [];
  }

  /** Those that come before `pod` on the node: of its priority or a higher one. */
  ahead(pod: PodInfo, nodeName: string): PodInfo[] {
    return [...this.on(nodeName)].filter((other) => other.uid !== pod.uid && other.priority >= pod.priority);
  }
}
