// What ReplicaSets and ReplicationControllers have in common, which is all but their form: keeps their pods and status.
import type { ResourceRef } from "../../api/index.ts";
import type { ReplicaSet, ReplicaSetStatus } from "../../api/types/apps/v1.ts";
import { newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, type KubeObject, labelSelectorMatcher, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { messageOf } from "../error-message.ts";
import { OwnedPods } from "../owned-pods.ts";
import { PodControl, type PodFailure } from "../pod-control.ts";
import { podFromTemplate } from "../pod-template.ts";
import { activePods, nextAvailableMs, planReplicas, replicaSetStatus, type StatusInput, terminatingPods } from "./plan.ts";

export interface ReplicaKind<T extends KubeObject> {
  /** The controller's name. */
  readonly name: string;
  readonly resource: ResourceRef<T>;
  /** The object as a ReplicaSet, which the plan reads. */
  asReplicaSet(owner: DeepReadonly<T>): DeepReadonly<ReplicaSet>;
  withStatus(owner: DeepReadonly<T>, status: ReplicaSetStatus): DeepReadonly<T>;
}

export function replicaController<T extends KubeObject>(context: ControllerContext, kind: ReplicaKind<T>): Controller {
  const reconciler = new ReplicaReconciler(context, kind);
  return keyedController({
    name: kind.name,
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class ReplicaReconciler<T extends KubeObject> {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #kind: ReplicaKind<T>;
  readonly #pods: OwnedPods<T>;
  readonly #podControl: PodControl;

  constructor(context: ControllerContext, kind: ReplicaKind<T>) {
    this.#context = context;
    this.#kind = kind;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#pods = new OwnedPods({
      context,
      resource: kind.resource,
      selectorOf: (owner) => labelSelectorMatcher(kind.asReplicaSet(owner).spec?.selector),
      queue: (key, delayMs) => this.queue.addAfter(key, delayMs),
    });
    this.#podControl = new PodControl(context, this.#pods.expectations);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const owner = this.#pods.owners.lister.get(namespace, name);
    if (owner === undefined) return undefined;
    const { clock } = this.#context;
    const mayChange = this.#pods.expectations.isSatisfied(key);
    const all = await this.#pods.claim(owner, signal);
    const pods = activePods(all);
    const set = this.#kind.asReplicaSet(owner);
    const failed = mayChange && set.metadata.deletionTimestamp === undefined ? await this.#replace(owner, pods, signal) : undefined;
    const failure = failed === undefined ? undefined : { reason: failed.reason, message: messageOf(failed.error) };
    await this.#updateStatus(owner, { set, pods, terminating: terminatingPods(all).length, nowMs: clock.now(), failure }, signal);
    if (failed !== undefined) throw failed.error;
    const requeueAfterMs = nextAvailableMs(pods, set.spec?.minReadySeconds ?? 0, clock.now());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  async #replace(owner: DeepReadonly<T>, pods: StatusInput["pods"], signal: AbortSignal): Promise<PodFailure | undefined> {
    const set = this.#kind.asReplicaSet(owner);
    const plan = planReplicas(set, pods, this.#context.clock.now());
    const { template } = set.spec ?? {};
    const create =
      plan.create === 0 || template === undefined
        ? []
        : Array(plan.create).fill(podFromTemplate(template, owner, newControllerRef(owner, this.#pods.kind)));
    return this.#podControl.carryOut({ owner, create, delete: plan.delete }, signal);
  }

  async #updateStatus(owner: DeepReadonly<T>, input: StatusInput, signal: AbortSignal): Promise<void> {
    const status = replicaSetStatus(input);
    const wanted = this.#kind.withStatus(owner, status);
    if (deepEqual(wanted, owner)) return;
    const { namespace } = owner.metadata;
    await this.#context.client.update(this.#kind.resource, wanted, { namespace, subresource: "status", signal });
  }
}
