// Keeps one pod of each DaemonSet on every node that it is meant for, and rolls new templates out over them.
import { resources } from "../../api/index.ts";
import type { DaemonSet } from "../../api/types/apps/v1.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { Backoff } from "../../base/index.ts";
import { type Informer, newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, labelSelectorMatcher, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { expiredRevisions, REVISION_HASH_LABEL, type RevisionPlan } from "../controller-revisions.ts";
import { OwnedPods } from "../owned-pods.ts";
import { PodControl } from "../pod-control.ts";
import { nextAvailableMs } from "../replicaset/plan.ts";
import { RevisionStore } from "../revision-store.ts";
import { daemonPod } from "./daemon-pod.ts";
import { type DaemonPlan, type DaemonSnapshot, eligibility, planDaemons } from "./plan.ts";
import { planRollingUpdate } from "./rolling-update.ts";
import { daemonSetStatus } from "./status.ts";

/** Pods made or deleted in one go; the rest follows in the next. */
const BURST_REPLICAS = 250;
/** So that the informers have seen which revisions were merged. */
const MERGE_DELAY_MS = 1000;
/** How long a node waits for its next pod after failed ones. */
const FAILED_POD_BACKOFF = { initialMs: 1000, maxMs: 15 * 60 * 1000 };

export function daemonSetController(context: ControllerContext): Controller {
  const reconciler = new DaemonSetReconciler(context);
  return keyedController({
    name: "daemonset-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class DaemonSetReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #pods: OwnedPods<DaemonSet>;
  readonly #podControl: PodControl;
  readonly #revisions: RevisionStore<DaemonSet>;
  /** Of failed pods, by set and node. */
  readonly #backoff: Backoff<string>;
  /** When each node's back-off is over, by the monotonic clock. */
  readonly #backoffEndsMs = new Map<string, number>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#backoff = new Backoff(context.clock, FAILED_POD_BACKOFF);
    this.#nodes = context.informers.informer(resources.nodes);
    this.#pods = new OwnedPods({
      context,
      resource: resources.daemonsets,
      selectorOf: ({ spec }) => labelSelectorMatcher(spec?.selector),
      queue: (key, delayMs) => this.queue.addAfter(key, delayMs),
    });
    this.#podControl = new PodControl(context, this.#pods.expectations);
    this.#revisions = new RevisionStore({ context, resource: resources.daemonsets, hashLabel: REVISION_HASH_LABEL });
    this.#nodes.onChange({
      added: (node) => this.#nodeChanged(undefined, node),
      updated: (old, node) => this.#nodeChanged(old, node),
      deleted: (node) => this.#nodeChanged(node, undefined),
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const set = this.#pods.owners.lister.get(namespace, name);
    if (set === undefined) return void this.#forget(key);
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const history = await this.#revisions.ensure(set, labelSelectorMatcher(set.spec?.selector), signal);
    const pods = await this.#pods.claim(set, signal);
    const hash = history.current.metadata.labels?.[REVISION_HASH_LABEL] ?? "";
    if (history.duplicates.length > 0) return this.#merge(history, pods, signal);
    const nodes = this.#nodes.lister.list();
    this.#pods.pace.looked(key, nodes.length + pods.length);
    const snapshot = { set, nodes, pods, hash, nowMs: this.#context.clock.now() };
    const isCurrent = this.#pods.expectations.isSatisfied(key);
    const waitMs = isCurrent ? await this.#update(snapshot, history, signal) : undefined;
    await this.#updateStatus(snapshot, isCurrent, signal);
    const availableInMs = nextAvailableMs(pods, set.spec?.minReadySeconds ?? 0, snapshot.nowMs);
    const requeueAfterMs = Math.min(waitMs ?? Number.POSITIVE_INFINITY, availableInMs ?? Number.POSITIVE_INFINITY);
    return requeueAfterMs === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs };
  }

  /** Of several revisions with the set's template one stays: the others' pods become its own. The set is looked at again when that is seen. */
  async #merge(
    { current, duplicates }: RevisionPlan,
    pods: readonly DeepReadonly<Pod>[],
    signal: AbortSignal,
  ): Promise<ReconcileResult | undefined> {
    const hashOf = ({ metadata }: RevisionPlan["current"] | DeepReadonly<Pod>) => metadata.labels?.[REVISION_HASH_LABEL];
    const merged = new Set(duplicates.map(hashOf));
    for (const { metadata } of pods.filter((pod) => merged.has(hashOf(pod)))) {
      const patch = { metadata: { uid: metadata.uid, labels: { [REVISION_HASH_LABEL]: hashOf(current) } } };
      const options = { namespace: metadata.namespace, type: "application/merge-patch+json" as const, signal };
      await this.#context.client.patch(resources.pods, metadata.name ?? "", patch, options);
    }
    await this.#revisions.delete(duplicates, signal);
    return { requeueAfterMs: MERGE_DELAY_MS };
  }

  /** Answers how long until a failed pod may be replaced. */
  async #update(snapshot: DaemonSnapshot, history: RevisionPlan, signal: AbortSignal): Promise<number | undefined> {
    const { set, hash, pods } = snapshot;
    const plan = planDaemons(snapshot);
    const { due, waitMs } = this.#dueEnded(snapshot, plan);
    await this.#carryOut(snapshot, { create: plan.create, delete: [...plan.delete, ...due] }, signal);
    // What was just made or deleted is not in the snapshot: the update goes on when it has been seen.
    const isSettled = this.#pods.expectations.isSatisfied(objectKey(set));
    if (isSettled && set.spec?.updateStrategy?.type === "RollingUpdate")
      await this.#carryOut(snapshot, planRollingUpdate(snapshot), signal);
    const live = new Set([hash, ...pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH_LABEL])]);
    const isLive = ({ metadata }: RevisionPlan["current"]) => live.has(metadata.labels?.[REVISION_HASH_LABEL]);
    await this.#revisions.delete(expiredRevisions(set, history.old, isLive), signal);
    return waitMs;
  }

  async #carryOut(snapshot: DaemonSnapshot, plan: Pick<DaemonPlan, "create" | "delete">, signal: AbortSignal): Promise<void> {
    const { set, hash } = snapshot;
    const owner = newControllerRef(set, this.#pods.kind);
    const create = plan.create.slice(0, BURST_REPLICAS).map((nodeName) => daemonPod(set, nodeName, { hash, owner }));
    const failure = await this.#podControl.carryOut({ owner: set, create, delete: plan.delete.slice(0, BURST_REPLICAS) }, signal);
    if (failure === undefined) return;
    await this.#updateStatus(snapshot, false, signal);
    throw failure.error;
  }

  /** Ended pods to delete now; a failed one waits for its node's back-off. */
  #dueEnded({ set }: DaemonSnapshot, { ended }: DaemonPlan) {
    const nowMs = this.#context.clock.monotonic();
    const due: DaemonPlan["ended"][number]["pod"][] = [];
    let waitMs: number | undefined;
    for (const { pod, nodeName } of ended) {
      const path = `${objectKey(pod)} on node ${nodeName}`;
      if (pod.status?.phase === "Succeeded") {
        this.#event(set, "Normal", "SucceededDaemonPod", `Found succeeded daemon pod ${path}, will try to delete it`);
        due.push(pod);
        continue;
      }
      const key = `${objectKey(set)}/${set.metadata.uid}/${nodeName}`;
      const leftMs = (this.#backoffEndsMs.get(key) ?? 0) - nowMs;
      if (leftMs > 0) {
        waitMs = Math.min(waitMs ?? leftMs, leftMs);
        continue;
      }
      this.#backoffEndsMs.set(key, nowMs + this.#backoff.next(key));
      this.#event(set, "Warning", "FailedDaemonPod", `Found failed daemon pod ${path}, will try to kill it`);
      due.push(pod);
    }
    return { due, waitMs };
  }

  #event(set: DeepReadonly<DaemonSet>, type: "Normal" | "Warning", reason: string, message: string): void {
    this.#context.recorder.event(set, type, reason, message);
  }

  async #updateStatus(snapshot: DaemonSnapshot, isCurrent: boolean, signal: AbortSignal): Promise<void> {
    const { set } = snapshot;
    const status = daemonSetStatus(snapshot, { isCurrent });
    if (deepEqual(status, set.status)) return;
    const { namespace } = set.metadata;
    await this.#context.client.update(resources.daemonsets, { ...set, status }, { namespace, subresource: "status", signal });
  }

  #nodeChanged(old: DeepReadonly<Node> | undefined, node: DeepReadonly<Node> | undefined): void {
    if (old !== undefined && node !== undefined) {
      const isSame = deepEqual(old.metadata.labels, node.metadata.labels) && deepEqual(old.spec?.taints, node.spec?.taints);
      if (isSame) return;
    }
    for (const set of this.#pods.owners.lister.list()) {
      const before = old === undefined ? undefined : eligibility(set, old);
      const after = node === undefined ? undefined : eligibility(set, node);
      const concerns = node === undefined ? before?.shouldContinue === true : !deepEqual(before, after);
      if (concerns && (after === undefined || old !== undefined || after.shouldRun)) this.#queueSoon(objectKey(set));
    }
  }

  /** Many nodes often change together. */
  #queueSoon(key: string): void {
    this.queue.addAfter(key, this.#pods.pace.restMs(key));
  }

  #forget(key: string): void {
    for (const each of [...this.#backoffEndsMs.keys()]) {
      if (!each.startsWith(`${key}/`)) continue;
      this.#backoffEndsMs.delete(each);
      this.#backoff.reset(each);
    }
  }
}
