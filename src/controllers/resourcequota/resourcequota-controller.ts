// Counts anew what quotas' namespaces use: admission only adds, so what goes away is seen here.
import { isPodTerminal, quotaEvaluator, quotaUsage, type ResourceRef, resources } from "../../api/index.ts";
import type { Pod, ResourceQuota } from "../../api/types/core/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, type KubeObject, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { changesUsage, quotaStatus } from "./plan.ts";

export interface ResourceQuotaOptions {
  /** Every namespaced resource that can be listed and watched, each in one version. */
  readonly countableResources: () => readonly ResourceRef<KubeObject>[];
}

/** Upstream's --resource-quota-sync-period. */
const RESYNC_MS = 300_000;
/** Deletions come in crowds: one count serves for all of them. */
const GATHER_MS = 50;

/** @see kubernetes `pkg/controller/resourcequota/resource_quota_controller.go` */
export function resourceQuotaController(context: ControllerContext, options: ResourceQuotaOptions): Controller {
  const reconciler = new QuotaReconciler(context, options);
  return keyedController({
    name: "resourcequota-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class QuotaReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #options: ResourceQuotaOptions;
  readonly #quotas: Informer<ResourceQuota>;
  /** Of the resources that some quota counts, by group and plural. */
  readonly #counted = new Map<string, Informer<KubeObject>>();

  constructor(context: ControllerContext, options: ResourceQuotaOptions) {
    const { informers, clock } = context;
    this.#context = context;
    this.#options = options;
    this.queue = new WorkQueue({ clock });
    this.#quotas = informers.informer(resources.resourcequotas);
    const add = (quota: DeepReadonly<ResourceQuota>) => this.queue.add(objectKey(quota));
    this.#quotas.onChange({
      added: add,
      updated: (old, quota) => {
        if (old.spec !== quota.spec || quota.status?.hard === undefined) add(quota);
      },
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const found = this.#quotas.lister.get(namespace, name);
    if (found === undefined) return undefined;
    const counted = this.#countedBy(found);
    const { client, clock, informers } = this.#context;
    informers.start(signal);
    await informers.waitForSync(signal);
    const quota = this.#quotas.lister.get(namespace, name) ?? found;
    const objects = counted.map(({ group, resource }) => ({
      group,
      plural: resource,
      items: this.#informerOf({ group, resource })?.lister.list(namespace) ?? [],
    }));
    const status = quotaStatus(quota, quotaUsage(quota, objects, clock.now()));
    if (status !== undefined) {
      await client.update(resources.resourcequotas, { ...quota, status }, { namespace, subresource: "status", signal });
    }
    return { requeueAfterMs: RESYNC_MS };
  }

  /** The resources that the quota counts; their informers are made when they are first asked for. */
  #countedBy({ spec }: DeepReadonly<ResourceQuota>): readonly ResourceRef<KubeObject>[] {
    const names = Object.keys(spec?.hard ?? {});
    const counted = this.#options.countableResources().filter(({ group, resource }) => {
      const evaluator = quotaEvaluator(group, resource);
      return names.some((name) => evaluator.counts(name));
    });
    for (const resource of counted) this.#follow(resource);
    return counted;
  }

  #informerOf({ group, resource }: Pick<ResourceRef<KubeObject>, "group" | "resource">): Informer<KubeObject> | undefined {
    return this.#counted.get(`${group}/${resource}`);
  }

  #follow(resource: ResourceRef<KubeObject>): void {
    if (this.#informerOf(resource) !== undefined) return;
    const informer = this.#context.informers.informer(resource);
    this.#counted.set(`${resource.group}/${resource.resource}`, informer);
    const evaluator = quotaEvaluator(resource.group, resource.resource);
    informer.onChange({
      updated: (old, object) => {
        if (changesUsage(evaluator, old, object) || hasJustEnded(old, object)) this.#addQuotasOf(object);
      },
      deleted: (object) => this.#addQuotasOf(object),
    });
  }

  #addQuotasOf({ metadata }: DeepReadonly<KubeObject>): void {
    for (const quota of this.#quotas.lister.list(metadata.namespace)) this.queue.addAfter(objectKey(quota), GATHER_MS);
  }
}

/** A pod that has ended takes nothing but its place among the objects. */
function hasJustEnded(old: DeepReadonly<KubeObject>, object: DeepReadonly<KubeObject>): boolean {
  return object.kind === "Pod" && isPodTerminal(object as DeepReadonly<Pod>) && !isPodTerminal(old as DeepReadonly<Pod>);
}
