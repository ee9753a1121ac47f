// Keeps the EndpointSlices of every service that has a selector.
import { resources } from "../../api/index.ts";
import type { Node, Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { Pace } from "../pace.ts";
import { ServicePodChanges } from "../service-pod-changes.ts";
import { serviceSelector } from "../service-pods.ts";
import { MANAGED_BY_LABEL, MANAGER, planSlices, SERVICE_NAME_LABEL, type SlicePlan } from "./plan.ts";
import { SliceTracker } from "./slice-tracker.ts";

const BY_SERVICE = "endpointslice-controller/service";
const ZONE_LABEL = "topology.kubernetes.io/zone";

export function endpointSliceController(context: ControllerContext): Controller {
  const reconciler = new EndpointSliceReconciler(context);
  return keyedController({
    name: "endpointslice-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class EndpointSliceReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #tracker = new SliceTracker();
  readonly #pace: Pace;
  readonly #changes: ServicePodChanges;
  /** By service whose slices are being written: what is seen of them meanwhile, which may be the writes themselves. */
  readonly #seenMeanwhile = new Map<string, (() => void)[]>();
  /** Services to plan again once their slices have caught up. */
  readonly #behind = new Set<string>();
  /** Services with a pod whose node has not been seen. */
  readonly #waitForNodes = new Set<string>();

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#pace = new Pace(clock);
    this.#services = informers.informer(resources.services);
    this.#pods = informers.informer(resources.pods);
    this.#nodes = informers.informer(resources.nodes);
    this.#slices = informers.informer(resources.endpointslices);
    this.#slices.addIndex(BY_SERVICE, (slice) => (isManaged(slice) ? [serviceKeyOf(slice)] : []));
    this.#changes = new ServicePodChanges(this.#services, this.#pods, (key) => this.queue.addAfter(key, this.#pace.restMs(key)));
    this.#watch();
  }

  #watch(): void {
    const add = (service: DeepReadonly<Service>) => this.#lookAtAll(objectKey(service));
    this.#services.onChange({ added: add, updated: (_, service) => add(service), deleted: add });
    this.#slices.onChange({
      added: (slice) => this.#sliceChanged(slice),
      updated: (old, slice) => {
        if (isManaged(old) && serviceKeyOf(old) !== serviceKeyOf(slice)) this.#lookAtAll(serviceKeyOf(old));
        this.#sliceChanged(slice);
      },
      deleted: (slice) => this.#sliceDeleted(slice),
    });
    this.#nodes.onChange({
      added: () => {
        for (const key of this.#waitForNodes) this.#lookAtAll(key);
      },
      updated: (old, node) => {
        // Every service may have endpoints there; zones hardly ever change.
        if (old.metadata.labels?.[ZONE_LABEL] === node.metadata.labels?.[ZONE_LABEL]) return;
        for (const service of this.#services.lister.list()) add(service);
      },
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const service = this.#services.lister.get(namespace, name);
    this.#behind.delete(key);
    if (service === undefined || serviceSelector(service) === undefined || service.metadata.deletionTimestamp !== undefined) {
      if (service === undefined) this.#tracker.forget(key);
      this.#changes.forget(key);
      this.#waitForNodes.delete(key);
      this.#pace.looked(key, 0);
      return undefined;
    }
    const existing = this.#slices.lister.byIndex(BY_SERVICE, key).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (this.#tracker.isBehind(key, existing)) {
      this.#behind.add(key);
      return undefined;
    }
    const { clock } = this.#context;
    const startedMs = clock.monotonic();
    const { names: changed, pods, looks } = this.#changes.take(service);
    const plan = planSlices({ service, pods, nodeOf: (node) => this.#nodes.lister.get("", node), existing, changed });
    this.#pace.looked(key, looks + writtenEndpoints(plan), clock.monotonic() - startedMs);
    if (plan.waitsForNode) this.#waitForNodes.add(key);
    else if (changed === undefined) this.#waitForNodes.delete(key);
    await this.#carryOut(key, plan, signal);
    return undefined;
  }

  #lookAtAll(key: string): void {
    this.#changes.forget(key);
    this.queue.add(key);
  }

  async #carryOut(key: string, plan: SlicePlan, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const { namespace } = splitKey(key);
    const options = { namespace, signal };
    const seenMeanwhile: (() => void)[] = [];
    this.#seenMeanwhile.set(key, seenMeanwhile);
    const writes = [
      ...plan.create.map(async (slice) => this.#tracker.wrote(key, await client.create(resources.endpointslices, slice, options))),
      ...plan.update.map(async (slice) => this.#tracker.wrote(key, await client.update(resources.endpointslices, slice, options))),
      ...plan.delete.map(async (slice) => {
        await client.delete(resources.endpointslices, slice.metadata.name ?? "", options).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
        this.#tracker.deleted(key, slice);
      }),
    ];
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === "rejected");
    this.#seenMeanwhile.delete(key);
    for (const judge of seenMeanwhile) judge();
    if (failed === undefined) return;
    this.#changes.forget(key);
    const { recorder } = this.#context;
    const service = this.#services.lister.get(namespace, splitKey(key).name);
    const text = failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
    if (service !== undefined) {
      const message = `Error updating Endpoint Slices for Service ${key}: ${text}`;
      recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", message);
    }
    throw failed.reason;
  }

  #sliceChanged(slice: DeepReadonly<EndpointSlice>): void {
    if (!isManaged(slice)) return;
    const key = serviceKeyOf(slice);
    this.#judge(key, () => this.#tracker.isNews(key, slice));
  }

  #sliceDeleted(slice: DeepReadonly<EndpointSlice>): void {
    if (!isManaged(slice)) return;
    const key = serviceKeyOf(slice);
    this.#judge(key, () => this.#tracker.goneSeen(key, slice));
  }

  /** A change of a service's slices that is not of this controller's making asks for a look at all of it. */
  #judge(key: string, isForeign: () => boolean): void {
    const judge = () => {
      if (isForeign()) this.#lookAtAll(key);
      else if (this.#behind.has(key)) this.queue.add(key);
    };
    const meanwhile = this.#seenMeanwhile.get(key);
    if (meanwhile === undefined) judge();
    else meanwhile.push(judge);
  }
}

function writtenEndpoints({ create, update }: SlicePlan): number {
  return [...create, ...update].reduce((sum, { endpoints }) => sum + (endpoints?.length ?? 0), 0);
}

function isManaged({ metadata }: DeepReadonly<EndpointSlice>): boolean {
  return metadata.labels?.[MANAGED_BY_LABEL] === MANAGER && metadata.labels[SERVICE_NAME_LABEL] !== undefined;
}

function serviceKeyOf({ metadata }: DeepReadonly<EndpointSlice>): string {
  return `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`;
}
