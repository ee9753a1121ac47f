// Keeps the scheduler's picture of the cluster and its queue up to date with what the informers see.
import { isPodTerminal, resources } from "../api/index.ts";
import type { Namespace, Node, Pod } from "../api/types/core/v1.ts";
import type { InformerSource } from "../client/index.ts";
import { type DeepReadonly, deepEqual } from "../machinery/index.ts";
import type { ClusterState } from "./cluster/cluster-state.ts";
import { countsAlike, podInfo } from "./cluster/pod-info.ts";
import { assignedPodEvents, type ClusterEvent, nodeEvents, type WatchedResource, watchedResources } from "./framework/events.ts";
import type { Nominator } from "./placement/nominator.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

export interface ClusterWatcherOptions {
  readonly informers: InformerSource;
  readonly cluster: ClusterState;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  /** Pods placed whose binding the server has not shown yet, by uid. */
  readonly assumed: Set<string>;
  /** What plug-ins wait for. */
  readonly events: ReadonlySet<ClusterEvent>;
  /** Whether one of the profiles is for the pod. */
  isMine(pod: DeepReadonly<Pod>): boolean;
}

export class ClusterWatcher {
  readonly #options: ClusterWatcherOptions;
  /** The resources beside nodes and pods that plug-ins wait for. */
  readonly #watched: readonly WatchedResource[];

  constructor(options: ClusterWatcherOptions) {
    this.#options = options;
    const names = Object.keys(watchedResources) as WatchedResource[];
    this.#watched = names.filter((name) => (["Add", "Update", "Delete"] as const).some((verb) => options.events.has(`${name}${verb}`)));
    const { informers } = options;
    informers.informer(resources.pods);
    informers.informer(resources.nodes);
    informers.informer(resources.namespaces);
    for (const name of this.#watched) informers.informer(watchedResources[name]);
  }

  /** Takes in what is there, then follows. Answers how to stop. */
  start(): () => void {
    const { informers, cluster } = this.#options;
    const stops = [
      informers.informer<Namespace>(resources.namespaces).onChange({
        added: ({ metadata }) => cluster.setNamespace(metadata.name ?? "", metadata.labels),
        updated: (_, { metadata }) => cluster.setNamespace(metadata.name ?? "", metadata.labels),
        deleted: ({ metadata }) => cluster.setNamespace(metadata.name ?? "", undefined),
      }),
      ...this.#watched.map((name) => this.#watch(name)),
      informers.informer<Node>(resources.nodes).onChange({
        added: (node) => this.#setNode(undefined, node),
        updated: (old, node) => this.#setNode(old, node),
        deleted: (node) => this.#removeNode(node),
      }),
      informers.informer<Pod>(resources.pods).onChange({
        added: (pod) => this.#setPod(undefined, pod),
        updated: (old, pod) => this.#setPod(old, pod),
        deleted: (pod) => this.#removePod(pod),
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #watch(name: WatchedResource): () => void {
    const { informers, queue } = this.#options;
    return informers.informer(watchedResources[name]).onChange({
      added: (object) => queue.wake(`${name}Add`, { new: object }),
      updated: (old, object) => queue.wake(`${name}Update`, { old, new: object }),
      deleted: (object) => queue.wake(`${name}Delete`, { old: object }),
    });
  }

  #setNode(old: DeepReadonly<Node> | undefined, node: DeepReadonly<Node>): void {
    const { cluster, queue } = this.#options;
    cluster.setNode(node);
    for (const event of old === undefined ? (["NodeAdd"] as const) : nodeEvents(old, node)) queue.wake(event, { old, new: node });
  }

  #removeNode(node: DeepReadonly<Node>): void {
    this.#options.cluster.removeNode(node.metadata.name ?? "");
    this.#options.queue.wake("NodeDelete", { old: node });
  }

  #setPod(before: DeepReadonly<Pod> | undefined, pod: DeepReadonly<Pod>): void {
    const isSamePod = before?.metadata.uid === pod.metadata.uid;
    if (before !== undefined && !isSamePod) this.#removePod(before);
    const old = isSamePod ? before : undefined;
    if (isPodTerminal(pod)) this.#removePod(pod);
    else if (pod.spec?.nodeName) this.#setAssigned(old, pod, pod.spec.nodeName);
    else if (this.#options.isMine(pod) && !this.#options.assumed.has(pod.metadata.uid ?? "")) this.#setPending(old, pod);
  }

  #setPending(old: DeepReadonly<Pod> | undefined, pod: DeepReadonly<Pod>): void {
    const { queue } = this.#options;
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#removePod(pod);
      return;
    }
    if (old?.status?.nominatedNodeName !== pod.status?.nominatedNodeName) this.#nominate(pod);
    if (old === undefined) {
      queue.add(podInfo(pod));
      queue.wake("UnscheduledPodAdd", { new: pod });
    }
    // A pending pod's status (our own condition) gives no reason to try again.
    else if (!deepEqual(old.spec, pod.spec) || !deepEqual(old.metadata.labels, pod.metadata.labels) || claimsChanged(old, pod))
      queue.update(podInfo(pod), { old, new: pod });
  }

  #nominate(pod: DeepReadonly<Pod>): void {
    const nodeName = pod.status?.nominatedNodeName;
    if (nodeName) this.#options.nominator.set(podInfo(pod), nodeName);
    else this.#options.nominator.delete(pod.metadata.uid ?? "");
  }

  #setAssigned(old: DeepReadonly<Pod> | undefined, pod: DeepReadonly<Pod>, nodeName: string): void {
    const { assumed, cluster, nominator, queue } = this.#options;
    const uid = pod.metadata.uid ?? "";
    assumed.delete(uid);
    nominator.delete(uid);
    const place = cluster.placeOfPod(uid);
    if (place?.nodeName !== nodeName || !countsAlike(place.pod.pod, pod)) {
      const info = podInfo(pod);
      cluster.setPod(info, nodeName);
      if (place !== undefined) for (const event of assignedPodEvents(place.pod, info)) queue.wake(event, { old, new: pod });
    } else {
      place.pod.pod = pod;
    }
    if (old?.spec?.nodeName) return;
    queue.delete(uid);
    queue.wake("AssignedPodAdd", { new: pod });
  }

  #removePod(pod: DeepReadonly<Pod>): void {
    const { assumed, cluster, nominator, queue } = this.#options;
    const uid = pod.metadata.uid ?? "";
    queue.delete(uid);
    assumed.delete(uid);
    const held = cluster.placeOfPod(uid) !== undefined || nominator.get(uid) !== undefined;
    cluster.removePod(uid);
    nominator.delete(uid);
    if (held) queue.wake("AssignedPodDelete", { old: pod });
  }
}

function claimsChanged(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): boolean {
  return !deepEqual(old.status?.resourceClaimStatuses, pod.status?.resourceClaimStatuses);
}
