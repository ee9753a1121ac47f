// Rolls Deployments out: makes, sizes and deletes their ReplicaSets.
import { isPodTerminal, resources } from "../../api/index.ts";
import type { Deployment, ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import {
  carryOutClaims,
  claimObjects,
  getControllerOf,
  type Informer,
  newControllerRef,
  type ReconcileResult,
  WorkQueue,
} from "../../client/index.ts";
import {
  type DeepReadonly,
  deepEqual,
  isAlreadyExists,
  isNotFound,
  labelSelectorMatcher,
  objectKey,
  splitKey,
} from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { isNamespaceTerminating } from "../create-in-namespace.ts";
import { messageOf } from "../error-message.ts";
import { HASH_LABEL, isSameTemplate, templateHash } from "../template-hash.ts";
import { newSetAnnotations, REVISION, sizeAnnotations } from "./annotations.ts";
import { type DeploymentPlan, planDeployment, type SetChange } from "./plan.ts";
import { desiredOf, replicasOf, rolloutLimits } from "./rollout.ts";
import { deploymentStatus } from "./status.ts";

const KIND = { apiVersion: "apps/v1", kind: "Deployment" };
/** Objects by the uid of their controller; ReplicaSets without one by their namespace. */
const BY_CONTROLLER = "controller";
const orphansOf = (namespace: string) => `orphans/${namespace}`;

export function deploymentController(context: ControllerContext): Controller {
  const reconciler = new DeploymentReconciler(context);
  return keyedController({
    name: "deployment-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

/** The newest set cannot be made; the message stands in the Progressing condition. */
class ReplicaSetCreateError extends Error {
  readonly code = "REPLICA_SET_CREATE";
}

class DeploymentReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #deployments: Informer<Deployment>;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#deployments = context.informers.informer(resources.deployments);
    this.#sets = context.informers.informer(resources.replicasets);
    this.#pods = context.informers.informer(resources.pods);
    this.#sets.addIndex(BY_CONTROLLER, (set) => [getControllerOf(set)?.uid ?? orphansOf(set.metadata.namespace ?? "")]);
    this.#pods.addIndex(BY_CONTROLLER, (pod) => [getControllerOf(pod)?.uid ?? orphansOf(pod.metadata.namespace ?? "")]);
    const add = (deployment: DeepReadonly<Deployment>) => this.queue.add(objectKey(deployment));
    this.#deployments.onChange({ added: add, updated: (_, deployment) => add(deployment), deleted: add });
    this.#sets.onChange({
      added: (set) => this.#setChanged(set),
      updated: (old, set) => {
        if (getControllerOf(old)?.uid !== getControllerOf(set)?.uid) this.#setChanged(old);
        this.#setChanged(set);
      },
      deleted: (set) => this.#setChanged(set),
    });
    this.#pods.onChange({ deleted: (pod) => this.#podDeleted(pod) });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const deployment = this.#deployments.lister.get(namespace, name);
    if (deployment === undefined) return undefined;
    const sets = await this.#claimSets(deployment, signal);
    const plan = planDeployment({ deployment, sets, oldPods: (oldSets) => this.#runningPods(oldSets) });
    let createError: unknown;
    let created: DeepReadonly<ReplicaSet> | undefined;
    try {
      created = await this.#createSet(deployment, plan, signal);
    } catch (error) {
      createError = error;
    }
    if (isNamespaceTerminating(createError)) return undefined;
    const changed = new Map<string, DeepReadonly<ReplicaSet>>();
    for (const change of plan.changes) changed.set(change.set.metadata.uid ?? "", await this.#changeSet(deployment, change, signal));
    for (const set of plan.delete) await this.#deleteSet(set, signal);
    const current = (set: DeepReadonly<ReplicaSet>) => changed.get(set.metadata.uid ?? "") ?? set;
    const { status, deadlineInMs } = deploymentStatus({
      deployment,
      newSet: created ?? (plan.newSet === undefined ? undefined : current(plan.newSet)),
      oldSets: plan.oldSets.map(current),
      isCreated: created !== undefined,
      nowMs: this.#context.clock.now(),
      createError: createError === undefined ? undefined : messageOf(createError),
    });
    await this.#updateDeployment(deployment, { revision: plan.revision, status }, signal);
    if (createError !== undefined) throw createError;
    return deadlineInMs === undefined || deadlineInMs <= 0 ? undefined : { requeueAfterMs: deadlineInMs + 1000 };
  }

  #claimSets(deployment: DeepReadonly<Deployment>, signal: AbortSignal): Promise<readonly DeepReadonly<ReplicaSet>[]> {
    const selector = labelSelectorMatcher(deployment.spec?.selector);
    const objects = [
      ...this.#sets.lister.byIndex(BY_CONTROLLER, deployment.metadata.uid ?? ""),
      ...this.#sets.lister.byIndex(BY_CONTROLLER, orphansOf(deployment.metadata.namespace ?? "")),
    ];
    const claims = claimObjects({ controller: deployment, objects, selector });
    const { client } = this.#context;
    return carryOutClaims({
      client,
      controller: deployment,
      controllerResource: resources.deployments,
      resource: resources.replicasets,
      claims,
      signal,
    });
  }

  #runningPods(sets: readonly DeepReadonly<ReplicaSet>[]): DeepReadonly<Pod>[] {
    return sets.flatMap((set) => this.#pods.lister.byIndex(BY_CONTROLLER, set.metadata.uid ?? "").filter((pod) => !isPodTerminal(pod)));
  }

  async #createSet(
    deployment: DeepReadonly<Deployment>,
    { create }: DeploymentPlan,
    signal: AbortSignal,
  ): Promise<DeepReadonly<ReplicaSet> | undefined> {
    const template = deployment.spec?.template;
    if (create === undefined || template === undefined) return undefined;
    const { namespace } = deployment.metadata;
    const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
    const name = `${deployment.metadata.name}-${hash}`;
    const desired = desiredOf(deployment);
    const sized = sizeAnnotations(desired, desired + rolloutLimits(deployment).maxSurge);
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
    const set: DeepReadonly<ReplicaSet> = {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name,
        namespace,
        labels,
        annotations: newSetAnnotations(deployment, sized, create.revision),
        ownerReferences: [newControllerRef(deployment, KIND)],
      },
      spec: {
        replicas: create.replicas,
        minReadySeconds: deployment.spec?.minReadySeconds,
        selector: { ...deployment.spec?.selector, matchLabels: { ...deployment.spec?.selector.matchLabels, [HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
    try {
      const created = await this.#context.client.create(resources.replicasets, set, { namespace, signal });
      if (create.replicas > 0) this.#scaled(deployment, "up", { set: created, from: 0, to: create.replicas });
      return created;
    } catch (error) {
      if (isAlreadyExists(error)) return this.#existingSet(deployment, name, signal);
      if (isNamespaceTerminating(error)) throw error;
      const message = `Failed to create new replica set ${JSON.stringify(name)}: ${messageOf(error)}`;
      this.#context.recorder.event(deployment, "Warning", "ReplicaSetCreateError", message);
      throw new ReplicaSetCreateError(message, { cause: error });
    }
  }

  /** The name is taken: by our own set that the informer has not shown yet, or by a collision of hashes. */
  async #existingSet(
    deployment: DeepReadonly<Deployment>,
    name: string,
    signal: AbortSignal,
  ): Promise<DeepReadonly<ReplicaSet> | undefined> {
    const { namespace, uid } = deployment.metadata;
    const existing = await this.#context.client.get(resources.replicasets, name, { namespace, signal });
    const template = deployment.spec?.template;
    const isOurs =
      getControllerOf(existing)?.uid === uid &&
      template !== undefined &&
      existing.spec?.template !== undefined &&
      isSameTemplate(existing.spec.template, template);
    if (isOurs) return existing;
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.#context.client.update(
      resources.deployments,
      { ...deployment, status: { ...deployment.status, collisionCount } },
      { namespace, subresource: "status", signal },
    );
    return undefined;
  }

  async #changeSet(deployment: DeepReadonly<Deployment>, change: SetChange, signal: AbortSignal): Promise<DeepReadonly<ReplicaSet>> {
    const { set, replicas, annotations, minReadySeconds } = change;
    if (set.spec === undefined) return set;
    const wanted = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas, minReadySeconds } };
    const updated = await this.#context.client.update(resources.replicasets, wanted, { namespace: set.metadata.namespace, signal });
    const from = replicasOf(set);
    if (replicas !== from) this.#scaled(deployment, replicas > from ? "up" : "down", { set, from, to: replicas });
    return updated;
  }

  #scaled(
    deployment: DeepReadonly<Deployment>,
    direction: "up" | "down",
    { set, from, to }: { readonly set: DeepReadonly<ReplicaSet>; readonly from: number; readonly to: number },
  ): void {
    this.#context.recorder.event(
      deployment,
      "Normal",
      "ScalingReplicaSet",
      `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${to}`,
    );
  }

  async #deleteSet(set: DeepReadonly<ReplicaSet>, signal: AbortSignal): Promise<void> {
    const { namespace, name = "", uid } = set.metadata;
    try {
      await this.#context.client.delete(resources.replicasets, name, {
        namespace,
        signal,
        options: { preconditions: { uid }, propagationPolicy: "Background" },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The revision stands in the metadata, which a write to the status does not change: two writes when both differ. */
  async #updateDeployment(
    deployment: DeepReadonly<Deployment>,
    { revision, status }: { readonly revision: number; readonly status: DeepReadonly<Deployment>["status"] },
    signal: AbortSignal,
  ): Promise<void> {
    const { client } = this.#context;
    const { namespace, annotations } = deployment.metadata;
    let current = deployment;
    if (revision > 0 && annotations?.[REVISION] !== `${revision}`) {
      const metadata = { ...deployment.metadata, annotations: { ...annotations, [REVISION]: `${revision}` } };
      current = await client.update(resources.deployments, { ...deployment, metadata }, { namespace, signal });
    }
    if (!deepEqual(current.status, status))
      await client.update(resources.deployments, { ...current, status }, { namespace, subresource: "status", signal });
  }

  #setChanged(set: DeepReadonly<ReplicaSet>): void {
    const owner = getControllerOf(set);
    if (owner !== undefined) {
      if (owner.kind === KIND.kind) this.queue.add(`${set.metadata.namespace}/${owner.name}`);
      return;
    }
    for (const deployment of this.#deployments.lister.list(set.metadata.namespace)) {
      if (labelSelectorMatcher(deployment.spec?.selector).matches(set.metadata.labels ?? {})) this.queue.add(objectKey(deployment));
    }
  }

  /** The last pod of an old set is what a recreation waits for. */
  #podDeleted(pod: DeepReadonly<Pod>): void {
    const owner = getControllerOf(pod);
    if (owner?.kind !== "ReplicaSet") return;
    const set = this.#sets.lister.get(pod.metadata.namespace ?? "", owner.name);
    const deployment = set === undefined ? undefined : getControllerOf(set);
    if (deployment?.kind === KIND.kind) this.queue.add(`${pod.metadata.namespace}/${deployment.name}`);
  }
}
