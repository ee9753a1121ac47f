// Gives each StatefulSet its pods, each with a name and claims of its own, and rolls new templates out over them.
import { resources } from "../../api/index.ts";
import type { StatefulSet } from "../../api/types/apps/v1.ts";
import type { PersistentVolumeClaim } from "../../api/types/core/v1.ts";
import { type Informer, newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, labelSelectorMatcher, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { expiredRevisions, type RevisionPlan, templateOf } from "../controller-revisions.ts";
import { OwnedPods } from "../owned-pods.ts";
import { nextAvailableMs } from "../replicaset/plan.ts";
import { RevisionStore } from "../revision-store.ts";
import { slowStart } from "../slow-start.ts";
import { isMember, podRevision, statefulPod } from "./identity.ts";
import { planStatefulSet, type StatefulAction, type StatefulSnapshot } from "./plan.ts";
import { StatefulPodControl } from "./stateful-pod-control.ts";
import { statefulSetStatus } from "./status.ts";

const REVISION_HASH = "controller.kubernetes.io/hash";

export function statefulSetController(context: ControllerContext): Controller {
  const reconciler = new StatefulSetReconciler(context);
  return keyedController({
    name: "statefulset-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class StatefulSetReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #pods: OwnedPods<StatefulSet>;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #podControl: StatefulPodControl;
  readonly #revisions: RevisionStore<StatefulSet>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#claims = context.informers.informer(resources.persistentvolumeclaims);
    this.#pods = new OwnedPods({
      context,
      resource: resources.statefulsets,
      selectorOf: ({ spec }) => labelSelectorMatcher(spec?.selector),
      goesOnFromStatus: true,
      queue: (key, delayMs) => this.queue.addAfter(key, delayMs),
    });
    this.#podControl = new StatefulPodControl(context, this.#claims);
    this.#revisions = new RevisionStore({ context, resource: resources.statefulsets, hashLabel: REVISION_HASH });
    this.#claims.onChange({ deleted: (claim) => this.#claimDeleted(claim) });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const set = this.#pods.owners.lister.get(namespace, name);
    if (set === undefined) return undefined;
    const history = await this.#revisions.ensure(set, labelSelectorMatcher(set.spec?.selector), signal);
    const pods = await this.#pods.claim(set, signal, (pod) => isMember(set, pod));
    const updateRevision = history.current.metadata.name ?? "";
    const known = history.old.find(({ metadata }) => metadata.name === set.status?.currentRevision);
    const currentRevision = known?.metadata.name ?? updateRevision;
    const snapshot = { set, pods, currentRevision, updateRevision, nowMs: this.#context.clock.now() };
    try {
      await this.#carryOut(snapshot, history, signal);
    } finally {
      await this.#updateStatus(snapshot, signal);
    }
    await this.#deleteExpired(snapshot, history, signal);
    const requeueAfterMs = nextAvailableMs(pods, set.spec?.minReadySeconds ?? 0, snapshot.nowMs);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** Pods of a parallel set are made at the same time, a few first. */
  async #carryOut(snapshot: StatefulSnapshot, history: RevisionPlan, signal: AbortSignal): Promise<void> {
    const actions = planStatefulSet(snapshot);
    const creations = actions.filter((action) => action.type === "create");
    const { error } = await slowStart(creations.length, async (index) => {
      const action = creations[index];
      if (action !== undefined) await this.#create(snapshot.set, action, history, signal);
    });
    if (error !== undefined) throw error;
    for (const action of actions) if (action.type !== "create") await this.#podControl[action.type](snapshot.set, action.pod, signal);
  }

  async #create(
    set: DeepReadonly<StatefulSet>,
    { ordinal, revision }: StatefulAction & { readonly type: "create" },
    history: RevisionPlan,
    signal: AbortSignal,
  ): Promise<void> {
    const found = [history.current, ...history.old].find(({ metadata }) => metadata.name === revision) ?? history.current;
    const owner = newControllerRef(set, this.#pods.kind);
    const pod = statefulPod(set, ordinal, { template: templateOf(found), revision, owner });
    await this.#podControl.create(set, pod, signal);
  }

  async #updateStatus(snapshot: StatefulSnapshot, signal: AbortSignal): Promise<void> {
    const { set } = snapshot;
    const status = statefulSetStatus(snapshot);
    if (deepEqual(status, set.status)) return;
    const { namespace } = set.metadata;
    await this.#context.client.update(resources.statefulsets, { ...set, status }, { namespace, subresource: "status", signal });
  }

  async #deleteExpired(snapshot: StatefulSnapshot, { old }: RevisionPlan, signal: AbortSignal): Promise<void> {
    const { set, pods, currentRevision } = snapshot;
    const live = new Set([currentRevision, ...pods.map(podRevision)]);
    const idle = old.filter(({ metadata }) => !live.has(metadata.name ?? ""));
    await this.#revisions.delete(
      expiredRevisions(set, idle, () => false),
      signal,
    );
  }

  /** A pod may have waited for the end of its predecessor's claim. */
  #claimDeleted(claim: DeepReadonly<PersistentVolumeClaim>): void {
    for (const set of this.#pods.owners.lister.list(claim.metadata.namespace)) {
      const isOfSet = ({ metadata }: DeepReadonly<PersistentVolumeClaim>) =>
        claim.metadata.name?.startsWith(`${metadata.name}-${set.metadata.name}-`) === true;
      if (set.spec?.volumeClaimTemplates?.some(isOfSet) === true) this.queue.add(objectKey(set));
    }
  }
}
