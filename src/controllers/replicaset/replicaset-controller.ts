// Keeps as many pods of each ReplicaSet as it asks for.
import { isPodAvailable, podReady, podReadySinceMs, resources } from "../../api/index.ts";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import {
  ControllerExpectations,
  carryOutClaims,
  claimObjects,
  getControllerOf,
  type Informer,
  newControllerRef,
  type ReconcileResult,
  WorkQueue,
} from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound, labelSelectorMatcher, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { podFromTemplate } from "../pod-template.ts";
import { slowStart } from "../slow-start.ts";
import { activePods, planReplicas, type ReplicaSetPlan, replicaSetStatus, type StatusInput } from "./plan.ts";

const KIND = { apiVersion: "apps/v1", kind: "ReplicaSet" };
/** Pods by the uid of their controller; orphans by their namespace. */
const BY_CONTROLLER = "controller";
const orphansOf = (namespace: string) => `orphans/${namespace}`;

export function replicaSetController(context: ControllerContext): Controller {
  const reconciler = new ReplicaSetReconciler(context);
  return keyedController({
    name: "replicaset-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class ReplicaSetReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #expectations: ControllerExpectations;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#expectations = new ControllerExpectations(context.clock);
    this.#sets = context.informers.informer(resources.replicasets);
    this.#pods = context.informers.informer(resources.pods);
    this.#pods.addIndex(BY_CONTROLLER, (pod) => [getControllerOf(pod)?.uid ?? orphansOf(pod.metadata.namespace ?? "")]);
    const add = (set: DeepReadonly<ReplicaSet>) => this.queue.add(objectKey(set));
    this.#sets.onChange({ added: add, updated: (_, set) => add(set), deleted: (set) => this.#forget(set) });
    this.#pods.onChange({
      added: (pod) => this.#podAdded(pod),
      updated: (old, pod) => this.#podUpdated(old, pod),
      deleted: (pod) => this.#podDeleted(pod),
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const set = this.#sets.lister.get(namespace, name);
    if (set === undefined) return undefined;
    const mayChange = this.#expectations.isSatisfied(key);
    const selector = labelSelectorMatcher(set.spec?.selector);
    const claims = claimObjects({
      controller: set,
      objects: activePods([
        ...this.#pods.lister.byIndex(BY_CONTROLLER, set.metadata.uid ?? ""),
        ...this.#pods.lister.byIndex(BY_CONTROLLER, orphansOf(namespace)),
      ]),
      selector,
    });
    const { client, clock } = this.#context;
    const pods = await carryOutClaims({
      client,
      controller: set,
      controllerResource: resources.replicasets,
      resource: resources.pods,
      claims,
      signal,
    });
    let failure: StatusInput["failure"];
    let error: unknown;
    if (mayChange && set.metadata.deletionTimestamp === undefined) {
      const plan = planReplicas(set, pods, clock.now());
      error = await this.#carryOut(set, plan, signal);
      if (error !== undefined) failure = { reason: plan.create > 0 ? "FailedCreate" : "FailedDelete", message: messageOf(error) };
    }
    await this.#updateStatus({ set, pods, nowMs: clock.now(), failure }, signal);
    if (error !== undefined) throw error;
    return this.#nextLook(set, pods);
  }

  async #carryOut(set: DeepReadonly<ReplicaSet>, plan: ReplicaSetPlan, signal: AbortSignal): Promise<unknown> {
    if (plan.create > 0) return this.#createPods(set, plan.create, signal);
    if (plan.delete.length > 0) return this.#deletePods(set, plan.delete, signal);
    return undefined;
  }

  async #createPods(set: DeepReadonly<ReplicaSet>, count: number, signal: AbortSignal): Promise<unknown> {
    const key = objectKey(set);
    const { client, recorder } = this.#context;
    if (set.spec?.template === undefined) return undefined;
    const pod = podFromTemplate(set.spec.template, set, newControllerRef(set, KIND));
    this.#expectations.expect(key, { creations: count });
    const { succeeded, error } = await slowStart(count, async () => {
      const created = await client.create(resources.pods, pod, { namespace: set.metadata.namespace, signal });
      recorder.event(set, "Normal", "SuccessfulCreate", `Created pod: ${created.metadata.name}`);
    });
    if (error === undefined) return undefined;
    this.#expectations.creationObserved(key, count - succeeded);
    recorder.event(set, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
    return error;
  }

  async #deletePods(set: DeepReadonly<ReplicaSet>, pods: readonly DeepReadonly<Pod>[], signal: AbortSignal): Promise<unknown> {
    const key = objectKey(set);
    const { client, recorder } = this.#context;
    this.#expectations.expect(key, { deletions: pods.map(identity) });
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        const { name = "", namespace, uid } = pod.metadata;
        try {
          await client.delete(resources.pods, name, { namespace, signal, options: { preconditions: { uid } } });
          recorder.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
        } catch (error) {
          this.#expectations.deletionObserved(key, identity(pod));
          if (isNotFound(error)) return;
          recorder.event(set, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
          throw error;
        }
      }),
    );
    return results.find((result) => result.status === "rejected")?.reason;
  }

  async #updateStatus(input: StatusInput, signal: AbortSignal): Promise<void> {
    const { set } = input;
    const status = replicaSetStatus(input);
    if (deepEqual(set.status, status)) return;
    await this.#context.client.update(
      resources.replicasets,
      { ...set, status },
      { namespace: set.metadata.namespace, subresource: "status", signal },
    );
  }

  /** A ready pod becomes available without an event when its minReadySeconds are over. */
  #nextLook(set: DeepReadonly<ReplicaSet>, pods: readonly DeepReadonly<Pod>[]): ReconcileResult | undefined {
    const minReadyMs = (set.spec?.minReadySeconds ?? 0) * 1000;
    if (minReadyMs === 0) return undefined;
    const nowMs = this.#context.clock.now();
    const waiting = pods.filter((pod) => podReady(pod) && !isPodAvailable(pod, minReadyMs / 1000, nowMs));
    const dueMs = waiting.map((pod) => (podReadySinceMs(pod) ?? nowMs) + minReadyMs - nowMs);
    return dueMs.length === 0 ? undefined : { requeueAfterMs: Math.max(0, Math.min(...dueMs)) };
  }

  #forget(set: DeepReadonly<ReplicaSet>): void {
    this.#expectations.forget(objectKey(set));
    this.queue.add(objectKey(set));
  }

  #podAdded(pod: DeepReadonly<Pod>): void {
    const key = this.#keyOfOwner(pod);
    if (key !== undefined) {
      this.#expectations.creationObserved(key);
      if (pod.metadata.deletionTimestamp !== undefined) this.#expectations.deletionObserved(key, identity(pod));
      this.queue.add(key);
    } else if (getControllerOf(pod) === undefined) this.#queueMatching(pod);
  }

  #podUpdated(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): void {
    const key = this.#keyOfOwner(pod);
    const oldKey = this.#keyOfOwner(old);
    if (oldKey !== undefined && oldKey !== key) this.queue.add(oldKey);
    if (key !== undefined) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#expectations.deletionObserved(key, identity(pod));
      this.queue.add(key);
    } else if (getControllerOf(pod) === undefined && (oldKey !== undefined || !deepEqual(old.metadata.labels, pod.metadata.labels)))
      this.#queueMatching(pod);
  }

  #podDeleted(pod: DeepReadonly<Pod>): void {
    const key = this.#keyOfOwner(pod);
    if (key === undefined) return;
    this.#expectations.deletionObserved(key, identity(pod));
    this.queue.add(key);
  }

  #keyOfOwner(pod: DeepReadonly<Pod>): string | undefined {
    const owner = getControllerOf(pod);
    return owner?.kind === KIND.kind && owner.apiVersion === KIND.apiVersion ? `${pod.metadata.namespace}/${owner.name}` : undefined;
  }

  /** An orphan concerns every set whose selector matches it. */
  #queueMatching(pod: DeepReadonly<Pod>): void {
    for (const set of this.#sets.lister.list(pod.metadata.namespace)) {
      if (labelSelectorMatcher(set.spec?.selector).matches(pod.metadata.labels ?? {})) this.queue.add(objectKey(set));
    }
  }
}

function identity(pod: DeepReadonly<Pod>): string {
  return pod.metadata.uid ?? "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
