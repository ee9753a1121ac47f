// Deletes pods that no kubelet will clean up. It looks every 20 seconds as long as there is something to look at, and
// is woken by changes; at rest it does nothing.
import { isPodTerminal, resources } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import {
  failedStatus,
  forcedDeletions,
  isOrphaned,
  isOutOfService,
  isTerminatingOutOfService,
  isUnscheduledTerminating,
  missingNodes,
  nextQuarantine,
  type PodGcView,
  QUARANTINE_MS,
  type Quarantine,
  TERMINATED_POD_THRESHOLD,
} from "./plan.ts";

export interface PodGcOptions {
  /** How many ended pods are kept; 0 or less: all. Default 12 500. */
  readonly terminatedPodThreshold?: number;
}

/** Upstream's gcCheckPeriod. */
const PERIOD_MS = 20_000;
/** The one key: all pods. */
const PODS = "pods";
/** Pods that are deleted at the same time. */
const PARALLEL_DELETIONS = 20;

/** @see kubernetes `pkg/controller/podgc/gc_controller.go` */
export function podGcController(context: ControllerContext, options: PodGcOptions = {}): Controller {
  const collector = new PodGarbageCollector(context, options);
  return keyedController({
    name: "pod-garbage-collector-controller",
    context,
    queue: collector.queue,
    reconcile: (_, signal) => collector.collect(signal),
    concurrency: 1,
  });
}

class PodGarbageCollector {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #threshold: number;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  /** Pods that have ended. */
  #terminated = 0;
  #quarantine: Quarantine = new Map();

  constructor(context: ControllerContext, { terminatedPodThreshold = TERMINATED_POD_THRESHOLD }: PodGcOptions) {
    this.#context = context;
    this.#threshold = terminatedPodThreshold;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#pods = context.informers.informer(resources.pods);
    this.#nodes = context.informers.informer(resources.nodes);
    this.#pods.onChange({
      added: (pod) => this.#podChanged(undefined, pod),
      updated: (old, pod) => this.#podChanged(old, pod),
      deleted: (pod) => this.#podChanged(pod, undefined),
    });
    const look = (node: DeepReadonly<Node>) => {
      if (isOutOfService(node)) this.#lookSoon();
    };
    this.#nodes.onChange({ added: look, updated: (_, node) => look(node), deleted: () => this.#lookSoon() });
  }

  async collect(signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { clock } = this.#context;
    const view: PodGcView = { pods: this.#pods.lister.list(), node: this.#node, terminatedPodThreshold: this.#threshold };
    const nowMs = clock.monotonic();
    this.#quarantine = nextQuarantine(this.#quarantine, missingNodes(view), nowMs);
    const overdue = [...this.#quarantine].filter(([, sinceMs]) => nowMs - sinceMs >= QUARANTINE_MS).map(([name]) => name);
    const gone = await this.#withoutExisting(overdue, signal);
    const orphans = new Set(view.pods.filter((pod) => gone.has(pod.spec?.nodeName ?? "") && isOrphaned(pod, this.#node)));
    const others = forcedDeletions(view).filter((pod) => !orphans.has(pod));
    await this.#deleteAll([...orphans], { isOrphan: true }, signal);
    await this.#deleteAll(others, { isOrphan: false }, signal);
    return this.#quarantine.size === 0 ? undefined : { requeueAfterMs: PERIOD_MS };
  }

  readonly #node = (name: string) => this.#nodes.lister.get("", name);

  /** Those of the nodes that the server does not have either; the others start over in quarantine. */
  async #withoutExisting(names: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const kept = new Map(this.#quarantine);
    for (const name of names) {
      kept.delete(name);
      try {
        await this.#context.client.get(resources.nodes, name, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        gone.add(name);
      }
    }
    this.#quarantine = kept;
    return gone;
  }

  /** Throws the first failure after trying all. */
  async #deleteAll(pods: readonly DeepReadonly<Pod>[], options: { readonly isOrphan: boolean }, signal: AbortSignal): Promise<void> {
    let next = 0;
    let failure: { readonly error: unknown } | undefined;
    const work = async () => {
      for (let pod = pods[next++]; pod !== undefined; pod = pods[next++]) {
        await this.#failAndDelete(pod, options, signal).catch((error: unknown) => (failure ??= { error }));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_DELETIONS }, work));
    if (failure !== undefined) throw failure.error;
  }

  /** Without a kubelet nobody else would say that the pod has ended. */
  async #failAndDelete(pod: DeepReadonly<Pod>, options: { readonly isOrphan: boolean }, signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#context;
    const { name = "", namespace, uid } = pod.metadata;
    const at = { namespace, signal };
    logger.info("deleting a pod by force", { namespace, pod: name, node: pod.spec?.nodeName, phase: pod.status?.phase });
    try {
      const status = failedStatus(pod, clock.now(), options);
      if (status !== undefined) {
        const patch = { metadata: { uid }, status };
        await client.patch(resources.pods, name, patch, { ...at, subresource: "status", type: "application/strategic-merge-patch+json" });
      }
      await client.delete(resources.pods, name, { ...at, options: { gracePeriodSeconds: 0, preconditions: { uid } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #podChanged(old: DeepReadonly<Pod> | undefined, pod: DeepReadonly<Pod> | undefined): void {
    const wasTerminal = old !== undefined && isPodTerminal(old);
    const isTerminal = pod !== undefined && isPodTerminal(pod);
    this.#terminated += Number(isTerminal) - Number(wasTerminal);
    if (pod === undefined) return;
    const isSurplus = isTerminal && !wasTerminal && this.#threshold > 0 && this.#terminated > this.#threshold;
    if (isSurplus || isUnscheduledTerminating(pod) || isOrphaned(pod, this.#node) || isTerminatingOutOfService(pod, this.#node)) {
      this.#lookSoon();
    }
  }

  /** At the next of the regular times. */
  #lookSoon(): void {
    this.queue.addAfter(PODS, PERIOD_MS - (this.#context.clock.monotonic() % PERIOD_MS));
  }
}
