// The scheduler: takes pods without a node from its queue, places each by the plugins' rules and binds it.
import { resources } from "../api/index.ts";
import type { Node, Pod } from "../api/types/core/v1.ts";
import { type Clock, formatTime, type Logger, type Random } from "../base/index.ts";
import type { Client, EventRecorder, Informer, InformerSource } from "../client/index.ts";
import { type DeepReadonly, deepEqual, isConflict, isNotFound } from "../machinery/index.ts";
import { ClusterState } from "./cluster-state.ts";
import { fitErrorMessage } from "./fit-error.ts";
import type { ScheduledPlugin } from "./framework.ts";
import { nodeEvents } from "./node-events.ts";
import { defaultPlugins } from "./plugins/index.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";
import { type NodeRejection, SchedulingClass } from "./scheduling-class.ts";
import { type QueuedPod, SchedulingQueue } from "./scheduling-queue.ts";

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Schedules the pods whose spec.schedulerName this is. */
  readonly schedulerName?: string;
  readonly plugins?: readonly ScheduledPlugin[];
}

/** Pods placed before other work of the process gets its turn. */
const PODS_PER_TURN = 64;
/** Classes remembered; the oldest is forgotten beyond that. */
const MAX_CLASSES = 256;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #schedulerName: string;
  readonly #plugins: readonly ScheduledPlugin[];
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #state = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #classes = new Map<string, SchedulingClass>();
  /** Pods placed here whose binding the server has not shown yet. */
  readonly #assumed = new Set<string>();
  #wake: () => void = () => {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#schedulerName = options.schedulerName ?? "default-scheduler";
    this.#plugins = options.plugins ?? defaultPlugins;
    this.#pods = options.informers.informer(resources.pods);
    this.#nodes = options.informers.informer(resources.nodes);
    this.#queue = new SchedulingQueue({ clock: options.clock, onReady: () => this.#wake() });
  }

  /** Schedules until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#options.informers.waitForSync(signal);
    const stopNodes = this.#nodes.onChange({
      added: (node) => this.#setNode(undefined, node),
      updated: (old, node) => this.#setNode(old, node),
      deleted: (node) => this.#state.removeNode(node.metadata.name ?? ""),
    });
    const stopPods = this.#pods.onChange({
      added: (pod) => this.#setPod(pod),
      updated: (old, pod) => this.#updatePod(old, pod),
      deleted: (pod) => this.#removePod(pod),
    });
    while (!signal.aborted) {
      this.#scheduleTurn(signal);
      if (this.#queue.hasReady) await this.#options.clock.sleep(0, signal).catch(() => {});
      else await this.#nextReady(signal);
    }
    stopNodes();
    stopPods();
    this.#queue.close();
  }

  #nextReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
      if (this.#queue.hasReady) done();
    });
  }

  #scheduleTurn(signal: AbortSignal): void {
    for (let i = 0; i < PODS_PER_TURN; i++) {
      const queued = this.#queue.pop();
      if (queued === undefined) return;
      this.#scheduleOne(queued, signal);
    }
  }

  #scheduleOne(queued: QueuedPod, signal: AbortSignal): void {
    const { info } = queued;
    const placement = this.#classOf(info).place(info, this.#state, this.#options.random);
    if ("rejections" in placement) {
      this.#reject(queued, placement.rejections, signal);
      return;
    }
    this.#state.setPod(info, placement.node.name);
    this.#assumed.add(info.uid);
    void this.#bind(queued, placement.node.name, signal);
  }

  #classOf(info: PodInfo): SchedulingClass {
    const known = this.#classes.get(info.classKey);
    if (known !== undefined) return known;
    const oldest = this.#classes.size < MAX_CLASSES ? undefined : this.#classes.keys().next().value;
    if (oldest !== undefined) this.#classes.delete(oldest);
    const made = new SchedulingClass(this.#plugins, info);
    this.#classes.set(info.classKey, made);
    return made;
  }

  async #bind(queued: QueuedPod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { pod, uid } = queued.info;
    const { namespace = "", name = "" } = pod.metadata;
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name, namespace, uid },
      target: { kind: "Node", name: nodeName },
    };
    try {
      await this.#options.client.createSubresource(resources.pods, name, "binding", binding, { namespace, signal });
      this.#options.recorder.event(pod, "Normal", "Scheduled", `Successfully assigned ${namespace}/${name} to ${nodeName}`);
    } catch (error) {
      if (!signal.aborted) this.#unbind(queued, nodeName, error);
    }
  }

  /** Takes back an assumption that the server refused. */
  #unbind(queued: QueuedPod, nodeName: string, error: unknown): void {
    const { uid, key } = queued.info;
    this.#options.logger.warn("binding failed", { pod: key, node: nodeName, error: String(error) });
    if (!this.#assumed.delete(uid)) return;
    this.#state.removePod(uid);
    this.#queue.wake("AssignedPodDeleted");
    const current = this.#pods.lister.get(queued.info.pod.metadata.namespace ?? "", queued.info.pod.metadata.name ?? "");
    if (current !== undefined && current.metadata.uid === uid && !current.spec?.nodeName)
      this.#queue.addBackoff({ ...queued, info: podInfo(current) });
  }

  #reject(queued: QueuedPod, rejections: readonly NodeRejection[], signal: AbortSignal): void {
    const { pod } = queued.info;
    const plugins = [...new Set(rejections.map(({ plugin }) => plugin))];
    this.#queue.addUnschedulable(queued, plugins.length === 0 ? this.#plugins : plugins);
    const message = fitErrorMessage(this.#state.nodeCount, rejections);
    this.#options.recorder.event(pod, "Warning", "FailedScheduling", message);
    void this.#setUnschedulable(pod, message, signal);
  }

  async #setUnschedulable(pod: DeepReadonly<Pod>, message: string, signal: AbortSignal): Promise<void> {
    const { namespace = "", name = "" } = pod.metadata;
    const known = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
    if (known?.status === "False" && known.reason === "Unschedulable" && known.message === message) return;
    const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : formatTime(this.#options.clock.now());
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime };
    const type = "application/strategic-merge-patch+json";
    const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    try {
      await this.#options.client.patch(resources.pods, name, patch, { namespace, subresource: "status", type, signal });
    } catch (error) {
      if (signal.aborted || isNotFound(error) || isConflict(error)) return;
      this.#options.logger.warn("updating the pod's condition failed", { pod: `${namespace}/${name}`, error: String(error) });
    }
  }

  #setNode(old: DeepReadonly<Node> | undefined, node: DeepReadonly<Node>): void {
    this.#state.setNode(node);
    for (const event of nodeEvents(old, node)) this.#queue.wake(event);
  }

  #setPod(pod: DeepReadonly<Pod>): void {
    const uid = pod.metadata.uid ?? "";
    const isDone = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (isDone) {
      this.#removePod(pod);
    } else if (pod.spec?.nodeName) {
      this.#assumed.delete(uid);
      this.#queue.delete(uid);
      this.#setAssigned(pod, pod.spec.nodeName);
    } else if (this.#isMine(pod) && !this.#assumed.has(uid)) {
      this.#queue.add(podInfo(pod));
    }
  }

  #setAssigned(pod: DeepReadonly<Pod>, nodeName: string): void {
    const place = this.#state.placeOfPod(pod.metadata.uid ?? "");
    const isKnown = place?.nodeName === nodeName && place.pod.pod.metadata.generation === pod.metadata.generation;
    if (!isKnown) this.#state.setPod(podInfo(pod), nodeName);
  }

  #updatePod(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): void {
    const isSamePod = old.metadata.uid === pod.metadata.uid;
    if (!isSamePod) this.#removePod(old);
    const isPending = isSamePod && !pod.spec?.nodeName;
    if (isPending && pod.metadata.deletionTimestamp !== undefined) this.#queue.delete(pod.metadata.uid ?? "");
    // A pending pod's status (our own condition) gives no reason to try again.
    else if (!isPending || !deepEqual(old.spec, pod.spec)) this.#setPod(pod);
  }

  #removePod(pod: DeepReadonly<Pod>): void {
    const uid = pod.metadata.uid ?? "";
    this.#queue.delete(uid);
    this.#assumed.delete(uid);
    if (this.#state.placeOfPod(uid) === undefined) return;
    this.#state.removePod(uid);
    this.#queue.wake("AssignedPodDeleted");
  }

  #isMine(pod: DeepReadonly<Pod>): boolean {
    const isGated = (pod.spec?.schedulingGates ?? []).length > 0;
    return pod.spec?.schedulerName === this.#schedulerName && pod.metadata.deletionTimestamp === undefined && !isGated;
  }
}
