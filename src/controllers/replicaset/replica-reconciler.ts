// What ReplicaSets and ReplicationControllers have in common, which is all but their form: keeps their pods and status.
import type { ResourceRef } from "../../api/index.ts";
import type { ReplicaSet, ReplicaSetStatus } from "../../api/types/apps/v1.ts";
import { newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, type KubeObject, labelSelectorMatcher, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { messageOf } from "../error-message.ts";
import { OwnedPods } from "../owned-pods.ts";
import { PodControl, type PodFailure } from "../pod-control.ts";
import { podFromTemplate } from "../pod-template.ts";
import {
  type ActivePods,
  activePods,
  countPods,
  nextAvailableMs,
  type PodCounts,
  planReplicas,
  replicaSetStatus,
  type StatusInput,
} from "./plan.ts";
import { PodTallies } from "./pod-tally.ts";

/** Beyond these a set's size does not matter for how long its counts rest: they are there already. */
const COUNTED_PODS = 100;

interface Look {
  readonly counts: PodCounts;
  /** The active pods. */
  readonly list: ActivePods["list"];
}

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
  readonly #tallies: PodTallies;
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
    this.#tallies = new PodTallies(this.#pods.informer, (set) => this.#pods.controlledBy(set));
    this.#pods.owners.onChange({ deleted: ({ metadata }) => this.#tallies.forget(metadata.uid ?? "") });
    this.#podControl = new PodControl(context, this.#pods.expectations);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const owner = this.#pods.owners.lister.get(namespace, name);
    if (owner === undefined) return undefined;
    const { clock } = this.#context;
    const mayChange = this.#pods.expectations.isSatisfied(key);
    const set = this.#kind.asReplicaSet(owner);
    const { counts, list } = await this.#look(owner, set, signal);
    const isLeaving = set.metadata.deletionTimestamp !== undefined;
    const failed = mayChange && !isLeaving ? await this.#replace(owner, { count: counts.active, list }, signal) : undefined;
    const failure = failed === undefined ? undefined : { reason: failed.reason, message: messageOf(failed.error) };
    await this.#updateStatus(owner, { set, counts, nowMs: clock.now(), failure }, signal);
    if (failed !== undefined) throw failed.error;
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    const requeueAfterMs = minReadySeconds === 0 ? undefined : nextAvailableMs(list(), minReadySeconds, clock.now());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** Counts the set's pods: one by one only where some have to be adopted or released, or become available by time alone. */
  async #look(owner: DeepReadonly<T>, set: DeepReadonly<ReplicaSet>, signal: AbortSignal): Promise<Look> {
    const tally = this.#tallies.of(set);
    if (tally.isPure && (set.spec?.minReadySeconds ?? 0) === 0 && !this.#pods.hasOrphans(owner)) {
      const { counts } = tally;
      this.#pods.pace.looked(objectKey(owner), Math.min(counts.active, COUNTED_PODS));
      return { counts, list: () => activePods(this.#pods.controlledBy(owner)) };
    }
    const pods = await this.#pods.claim(owner, signal);
    return { counts: countPods(set, pods, this.#context.clock.now()), list: () => activePods(pods) };
  }

  async #replace(owner: DeepReadonly<T>, active: ActivePods, signal: AbortSignal): Promise<PodFailure | undefined> {
    const set = this.#kind.asReplicaSet(owner);
    const plan = planReplicas(set, active, this.#context.clock.now());
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
