// Keeps the EndpointSlices of every service that has a selector.
import { resources } from "../../api/index.ts";
import type { Node, Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { Pace } from "../pace.ts";
import { onServicePodChanges, serviceSelector } from "../service-pods.ts";
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
    this.#watch();
  }

  #watch(): void {
    const add = (service: DeepReadonly<Service>) => this.queue.add(objectKey(service));
    this.#services.onChange({ added: add, updated: (_, service) => add(service), deleted: add });
    onServicePodChanges(this.#services, this.#pods, (key) => this.queue.addAfter(key, this.#pace.restMs(key)));
    this.#slices.onChange({
      added: (slice) => this.#sliceChanged(slice),
      updated: (old, slice) => {
        if (isManaged(old) && serviceKeyOf(old) !== serviceKeyOf(slice)) this.queue.add(serviceKeyOf(old));
        this.#sliceChanged(slice);
      },
      deleted: (slice) => this.#sliceDeleted(slice),
    });
    this.#nodes.onChange({
      added: () => this.#addAll(this.#waitForNodes),
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
    this.#waitForNodes.delete(key);
    this.#behind.delete(key);
    if (service === undefined) {
      this.#tracker.forget(key);
      this.#pace.looked(key, 0);
      return undefined;
    }
    const selector = serviceSelector(service);
    if (selector === undefined || service.metadata.deletionTimestamp !== undefined) return undefined;
    const existing = this.#slices.lister.byIndex(BY_SERVICE, key).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (this.#tracker.isBehind(key, existing)) {
      this.#behind.add(key);
      return undefined;
    }
    const { clock } = this.#context;
    const startedMs = clock.monotonic();
    const candidates = this.#pods.lister.list(namespace);
    const pods = candidates.filter(({ metadata }) => selector.matches(metadata.labels));
    const plan = planSlices({ service, pods, nodeOf: (node) => this.#nodes.lister.get("", node), existing });
    this.#pace.looked(key, candidates.length, clock.monotonic() - startedMs);
    if (plan.waitsForNode) this.#waitForNodes.add(key);
    await this.#carryOut(key, plan, signal);
    return undefined;
  }

  async #carryOut(key: string, plan: SlicePlan, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const { namespace } = splitKey(key);
    const options = { namespace, signal };
    const writes = [
      ...plan.create.map(async (slice) => this.#tracker.wrote(key, await client.create(resources.endpointslices, slice, options))),
      ...plan.update.map(async (slice) => this.#tracker.wrote(key, await client.update(resources.endpointslices, slice, options))),
      ...plan.delete.map(async (slice) => {
        await client.delete(resources.endpointslices, slice.metadata.name ?? "", options).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
        if (this.#slices.lister.get(namespace, slice.metadata.name ?? "") !== undefined) this.#tracker.deleted(key, slice);
      }),
    ];
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === "rejected");
    if (failed === undefined) return;
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
    if (this.#behind.has(key) || this.#tracker.isNews(key, slice)) this.queue.add(key);
  }

  #sliceDeleted(slice: DeepReadonly<EndpointSlice>): void {
    if (!isManaged(slice)) return;
    const key = serviceKeyOf(slice);
    if (this.#tracker.goneSeen(key, slice) || this.#behind.has(key)) this.queue.add(key);
  }

  #addAll(keys: ReadonlySet<string>): void {
    for (const key of keys) this.queue.add(key);
  }
}

function isManaged({ metadata }: DeepReadonly<EndpointSlice>): boolean {
  return metadata.labels?.[MANAGED_BY_LABEL] === MANAGER && metadata.labels[SERVICE_NAME_LABEL] !== undefined;
}

function serviceKeyOf({ metadata }: DeepReadonly<EndpointSlice>): string {
  return `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`;
}
