// One attempt to schedule a pod by one profile: find a node and bind the pod to it, or say why there is none.
import { resources } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client, EventRecorder, Informer, InformerSource } from "../client/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import { type BatchSteps, scheduleBatch, type Together } from "./batch-cycle.ts";
import { bindingCycle, type LateRejection, reserve, unreserve } from "./binding-cycle.ts";
import type { ClusterState } from "./cluster/cluster-state.ts";
import type { NodeInfo } from "./cluster/node-info.ts";
import { type PodInfo, podInfo, podInfoOn } from "./cluster/pod-info.ts";
import type { NodeRejection, Plugin, PostFilterResult, QueuedPod } from "./framework/plugin.ts";
import { askExtenders } from "./placement/ask-extenders.ts";
import { fitErrorMessage } from "./placement/fit-error.ts";
import type { Nominator } from "./placement/nominator.ts";
import { type Failure, Placer } from "./placement/placer.ts";
import { PodStatusWriter } from "./pod-status.ts";
import type { Extender } from "./profile/extender.ts";
import { type Profile, pluginsOf } from "./profile/profile.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";
import { runPostFilter } from "./run-post-filter.ts";

export interface SchedulingCycleOptions {
  readonly profile: Profile;
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
  readonly queue: SchedulingQueue;
  /** Pods placed whose binding the server has not shown yet, by uid. */
  readonly assumed: Set<string>;
  readonly client: Client;
  readonly informers: InformerSource;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class SchedulingCycle {
  readonly #options: SchedulingCycleOptions;
  readonly #pods: Informer<Pod>;
  readonly #placer: Placer;
  readonly #status: PodStatusWriter;
  /** Those that have pods scheduled together. */
  readonly #batching: readonly Plugin[];

  constructor(options: SchedulingCycleOptions) {
    this.#options = options;
    this.#pods = options.informers.informer(resources.pods);
    this.#placer = new Placer(options);
    this.#status = new PodStatusWriter(options);
    this.#batching = pluginsOf(options.profile).filter(({ batch }) => batch !== undefined);
  }

  /** PreEnqueue: the plug-in that does not let the pod be scheduled at all yet. */
  heldBack(pod: PodInfo): Plugin | undefined {
    return this.#options.profile.enabled.preEnqueue.find(({ plugin }) => plugin.preEnqueue?.(pod) !== undefined)?.plugin;
  }

  explain(pod: PodInfo): readonly NodeRejection[] {
    return this.#placer.explain(pod);
  }

  /** Decides at once, unless programs outside have a say. Binding goes on afterwards. */
  schedule(queued: QueuedPod, signal: AbortSignal): Promise<void> | undefined {
    const together = this.#batchOf(queued.info);
    if (together !== undefined) return scheduleBatch(queued, together, this.#batchSteps(signal));
    const outcome = this.#find(queued.info, signal);
    if (outcome instanceof Promise) return outcome.then((found) => this.#placeOn(queued, found, signal), this.#givingBack(queued, signal));
    return this.#placeOn(queued, outcome, signal);
  }

  #batchOf(pod: PodInfo): Together | undefined {
    for (const plugin of this.#batching) {
      const batch = plugin.batch?.(pod);
      if (batch !== undefined) return { plugin, batch };
    }
    return undefined;
  }

  #batchSteps(signal: AbortSignal): BatchSteps {
    const { queue, profile } = this.#options;
    return {
      take: (uid) => queue.take(uid),
      compare: profile.enabled.queueSort[0]?.plugin.compare ?? (() => 0),
      find: (pod) => this.#find(pod, signal),
      assume: (queued, node) => this.#assume(queued, node),
      release: ({ info }, node) => void this.#release(info, node.name),
      bind: (queued, node) => void this.#bind(queued, node.name, signal),
      fail: (queued, failure, options) => this.#fail(queued, failure, signal, options),
      giveBack: (queued, error) => this.#givingBack(queued, signal)(error),
    };
  }

  /** A promise, when programs outside have a say. */
  #find(pod: PodInfo, signal: AbortSignal): NodeInfo | Failure | Promise<NodeInfo | Failure> {
    const extenders = this.#extendersFor(pod);
    return extenders.length > 0 ? this.#findWithExtenders(pod, extenders, signal) : this.#placer.place(pod, this.#options.random);
  }

  #extendersFor(pod: PodInfo): readonly Extender[] {
    return this.#options.profile.extenders.filter((extender) => extender.isInterested(pod));
  }

  async #findWithExtenders(pod: PodInfo, extenders: readonly Extender[], signal: AbortSignal): Promise<NodeInfo | Failure> {
    const found = this.#placer.find(pod);
    if ("rejections" in found) return found;
    const { nodes, rejections, scores } = await askExtenders(extenders, { pod, nodes: [...found.nodes] }, signal);
    if (nodes.length === 0) return { rejections: [...this.#placer.explain(pod), ...rejections] };
    return this.#placer.best(pod, { nodes, verdicts: found.verdicts }, this.#options.random, scores);
  }

  #placeOn(queued: QueuedPod, outcome: NodeInfo | Failure, signal: AbortSignal): Promise<void> | undefined {
    const failure = "rejections" in outcome ? outcome : this.#assume(queued, outcome);
    if (failure !== undefined) return this.#fail(queued, failure, signal);
    if (!("rejections" in outcome)) void this.#bind(queued, outcome.name, signal);
    return undefined;
  }

  /** From now on the pod counts as being on the node, unless a plug-in objects. */
  #assume({ info }: QueuedPod, node: NodeInfo): Failure | undefined {
    const { profile, cluster, nominator, assumed } = this.#options;
    const rejected = reserve(profile, info, node);
    if (rejected !== undefined) return { rejections: [{ node, ...rejected }] };
    cluster.setPod(podInfoOn(info, node.node.metadata.labels), node.name);
    nominator.delete(info.uid);
    assumed.add(info.uid);
    return undefined;
  }

  /** Undoes `#assume`. False: the server has shown the pod on a node, or gone, in the meantime. */
  #release(info: PodInfo, nodeName: string): boolean {
    const { profile, cluster, assumed } = this.#options;
    unreserve(profile, info, nodeName);
    if (!assumed.delete(info.uid)) return false;
    cluster.removePod(info.uid);
    return true;
  }

  #givingBack(queued: QueuedPod, signal: AbortSignal): (error: unknown) => void {
    return (error) => {
      if (!signal.aborted) this.#giveBack(queued, error, signal);
    };
  }

  async #bind(queued: QueuedPod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { profile, recorder, queue } = this.#options;
    const { info } = queued;
    try {
      const rejected = await bindingCycle(profile, { pod: info, nodeName }, signal);
      if (rejected !== undefined) {
        this.#takeBack(queued, nodeName, { rejected, signal });
        return;
      }
      queue.done(info.uid);
      recorder.event(info.pod, "Normal", "Scheduled", `Successfully assigned ${info.key} to ${nodeName}`);
    } catch (error) {
      if (!signal.aborted) this.#takeBack(queued, nodeName, { error, signal });
    }
  }

  /** Undoes a placement that came to nothing. */
  #takeBack(
    queued: QueuedPod,
    nodeName: string,
    why: { readonly rejected?: LateRejection; readonly error?: unknown; readonly signal: AbortSignal },
  ): void {
    const { cluster, queue } = this.#options;
    const { info } = queued;
    const node = cluster.node(nodeName);
    if (!this.#release(info, nodeName)) return;
    queue.wake("AssignedPodDelete", { old: info.pod });
    if (why.rejected === undefined || node === undefined) this.#giveBack(queued, why.error, why.signal);
    else void this.#fail(queued, { rejections: [{ node, ...why.rejected }] }, why.signal, { isFinal: true });
  }

  /** An attempt failed for another reason than the cluster's state: the pod is tried again after a while. */
  #giveBack(queued: QueuedPod, error: unknown, signal: AbortSignal): void {
    const { queue, recorder, logger } = this.#options;
    const current = this.#current(queued.info);
    logger.warn("scheduling failed", { pod: queued.info.key, error: String(error) });
    if (current === undefined || current.spec?.nodeName) {
      queue.done(queued.info.uid);
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    queue.addBackoff({ ...queued, info: podInfo(current) });
    recorder.event(current, "Warning", "FailedScheduling", message);
    void this.#status.write(current, { reason: "SchedulerError", message }, signal);
  }

  /** The pod as the server has it now; undefined when it is gone. */
  #current({ pod, uid }: PodInfo): DeepReadonly<Pod> | undefined {
    const current = this.#pods.lister.get(pod.metadata.namespace ?? "", pod.metadata.name ?? "");
    return current?.metadata.uid === uid && current.metadata.deletionTimestamp === undefined ? current : undefined;
  }

  /** `isFinal`: what PostFilter could do would not help. A promise, when programs outside have a say in that. */
  #fail(queued: QueuedPod, failure: Failure, signal: AbortSignal, { isFinal = false } = {}): Promise<void> | undefined {
    const current = this.#current(queued.info);
    if (current === undefined) {
      this.#options.queue.done(queued.info.uid);
      return undefined;
    }
    const attempt = { queued: { ...queued, info: podInfo(current) }, failure };
    const after = isFinal ? {} : this.#postFilter(attempt.queued.info, failure, signal);
    if (after instanceof Promise) return after.then((result) => this.#giveUp(attempt, result, signal), this.#givingBack(queued, signal));
    this.#giveUp(attempt, after, signal);
    return undefined;
  }

  /** `after` is what PostFilter made of it. */
  #giveUp(
    { queued, failure }: { readonly queued: QueuedPod; readonly failure: Failure },
    { nominatedNodeName, pending, message: said = "" }: PostFilterResult,
    signal: AbortSignal,
  ): void {
    const { cluster, recorder, nominator } = this.#options;
    const { info } = queued;
    if (nominatedNodeName) nominator.set(info, nominatedNodeName);
    else if (nominatedNodeName === "") nominator.delete(info.uid);
    this.#putBack(queued, failure, pending);
    const message = fitErrorMessage(cluster.nodeCount, failure, said);
    recorder.event(info.pod, "Warning", "FailedScheduling", message);
    void this.#status.write(info.pod, { reason: "Unschedulable", message, nominatedNodeName }, signal);
  }

  #postFilter(pod: PodInfo, { rejections }: Failure, signal: AbortSignal): PostFilterResult | Promise<PostFilterResult> {
    const { profile, cluster } = this.#options;
    const rejectionOn = (node: NodeInfo) => this.#placer.rejectionOn(pod, node);
    const plugins = cluster.nodeCount === 0 ? [] : profile.enabled.postFilter;
    return runPostFilter(plugins, pod, { cluster, rejections, rejectionOn, extenders: this.#extendersFor(pod), signal });
  }

  #putBack(queued: QueuedPod, { rejections, refused }: Failure, pending: Promise<void> | undefined): void {
    const { queue, profile } = this.#options;
    const rejectedBy = new Set(rejections.map(({ plugin }) => plugin));
    if (refused !== undefined) rejectedBy.add(refused.plugin);
    // Without nodes there is nobody who rejected it: everything may help.
    const plugins = rejectedBy.size === 0 ? profile.enabled.filter.map(({ plugin }) => plugin) : [...rejectedBy];
    const put = () => queue.addUnschedulable(queued, plugins);
    if (pending === undefined) put();
    // Meanwhile the pod counts as in flight: what happens is not lost to it.
    else void pending.then(put, () => queue.addBackoff(queued));
  }
}
