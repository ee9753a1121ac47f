// Counts anew what quotas' namespaces use: admission only adds, so what goes away is seen here.
import { quotaEvaluator, quotaUsage, type ResourceRef, resources } from "../../api/index.ts";
import type { ResourceQuota } from "../../api/types/core/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, type KubeObject, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { Pace } from "../pace.ts";
import { changesUsage, quotaStatus } from "./plan.ts";

export interface ResourceQuotaOptions {
  /** Every namespaced resource that can be listed and watched, each in one version. */
  readonly countableResources: () => readonly ResourceRef<KubeObject>[];
}

/** Upstream's --resource-quota-sync-period. */
const RESYNC_MS = 300_000;
/** After the usage was written: what was admitted just before was neither charged nor, maybe, counted. */
const RECOUNT_MS = 1_000;
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

interface Counted {
  readonly resource: ResourceRef<KubeObject>;
  readonly informer: Informer<KubeObject>;
  readonly stop: () => void;
}

class QuotaReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #options: ResourceQuotaOptions;
  readonly #quotas: Informer<ResourceQuota>;
  readonly #pace: Pace;
  /** The resources that some quota counts, by group and plural. */
  readonly #counted = new Map<string, Counted>();

  constructor(context: ControllerContext, options: ResourceQuotaOptions) {
    const { informers, clock } = context;
    this.#context = context;
    this.#options = options;
    this.queue = new WorkQueue({ clock });
    this.#pace = new Pace(clock);
    this.#quotas = informers.informer(resources.resourcequotas);
    const add = (quota: DeepReadonly<ResourceQuota>) => this.queue.add(objectKey(quota));
    this.#quotas.onChange({
      added: add,
      updated: (old, quota) => {
        // Not for what admission counts: the object itself may not be seen yet.
        if (!deepEqual(old.spec, quota.spec) || quota.status?.hard === undefined) add(quota);
      },
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const quota = this.#quotas.lister.get(namespace, name);
    if (quota === undefined) {
      this.#pace.looked(key, 0);
      return undefined;
    }
    const counted = this.#countedBy(quota);
    const { client, clock, informers } = this.#context;
    informers.start(signal);
    if (!counted.every(({ informer }) => informer.hasSynced)) return { requeueAfterMs: GATHER_MS };
    const objects = counted.map(({ resource, informer }) => ({
      group: resource.group,
      plural: resource.resource,
      items: informer.lister.list(namespace),
    }));
    this.#pace.looked(
      key,
      objects.reduce((sum, { items }) => sum + items.length, 0),
    );
    const status = quotaStatus(quota, quotaUsage(quota, objects, clock.now()));
    if (status === undefined) return { requeueAfterMs: RESYNC_MS };
    await client.update(resources.resourcequotas, { ...quota, status }, { namespace, subresource: "status", signal });
    // What was admitted before the quota was counted, or is not seen yet, is found by another look.
    return { requeueAfterMs: RECOUNT_MS };
  }

  /** What the quota counts of all that is served now. */
  #countedBy({ spec }: DeepReadonly<ResourceQuota>): readonly Counted[] {
    const names = Object.keys(spec?.hard ?? {});
    const countable = new Map(this.#options.countableResources().map((resource) => [idOf(resource), resource]));
    for (const [id, { resource, stop }] of this.#counted) {
      if (countable.has(id)) continue;
      stop();
      this.#counted.delete(id);
      this.#context.informers.release(resource);
    }
    const counted = [...countable.values()].filter(({ group, resource }) => {
      const evaluator = quotaEvaluator(group, resource);
      return names.some((name) => evaluator.counts(name));
    });
    return counted.map((resource) => this.#follow(resource));
  }

  #follow(resource: ResourceRef<KubeObject>): Counted {
    const known = this.#counted.get(idOf(resource));
    if (known !== undefined) return known;
    const informer = this.#context.informers.informer(resource);
    const evaluator = quotaEvaluator(resource.group, resource.resource);
    const stop = informer.onChange({
      updated: (old, object) => {
        if (changesUsage(evaluator, old, object)) this.#addQuotasOf(object);
      },
      deleted: (object) => this.#addQuotasOf(object),
    });
    const counted = { resource, informer, stop };
    this.#counted.set(idOf(resource), counted);
    return counted;
  }

  #addQuotasOf({ metadata }: DeepReadonly<KubeObject>): void {
    for (const quota of this.#quotas.lister.list(metadata.namespace)) {
      const key = objectKey(quota);
      this.queue.addAfter(key, Math.max(GATHER_MS, this.#pace.restMs(key)));
    }
  }
}

function idOf({ group, resource }: ResourceRef<KubeObject>): string {
  return `${group}/${resource}`;
}
