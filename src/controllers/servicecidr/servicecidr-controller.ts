// Keeps the ranges of service addresses (Ready, and kept while addresses need them) and the objects of the addresses.
// DEVIATION: upstream's allocator makes an IPAddress before it gives the address to a service; here services are the record
// (registry/services/allocator.ts), and the objects follow them.
import { resources } from "../../api/index.ts";
import type { Service } from "../../api/types/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "../../api/types/networking/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { protectedFinalizers } from "../protected-finalizers.ts";
import { addressesOf, FINALIZER, mayGo, planAddress, type Range, readyCondition } from "./plan.ts";

const BY_ADDRESS = "servicecidr/address";
const RANGE = "range:";
const ADDRESS = "address:";

/** @see kubernetes `pkg/controller/servicecidrs`, `pkg/registry/core/service/ipallocator/controller/repairip.go` */
export function serviceCidrController(context: ControllerContext): Controller {
  const reconciler = new ServiceCidrReconciler(context);
  return keyedController({
    name: "service-cidr-controller",
    context,
    queue: reconciler.queue,
    reconcile: async (key, signal) => {
      if (key.startsWith(RANGE)) await reconciler.reconcileRange(key.slice(RANGE.length), signal);
      else await reconciler.reconcileAddress(key.slice(ADDRESS.length), signal);
      return undefined;
    },
  });
}

class ServiceCidrReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #ranges: Informer<ServiceCIDR>;
  readonly #addresses: Informer<IPAddress>;
  readonly #services: Informer<Service>;

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#ranges = informers.informer(resources.servicecidrs);
    this.#addresses = informers.informer(resources.ipaddresses);
    this.#services = informers.informer(resources.services);
    this.#services.addIndex(BY_ADDRESS, addressesOf);
    const rangesChanged = () => {
      for (const { metadata } of this.#ranges.lister.list()) this.queue.add(`${RANGE}${metadata.name}`);
    };
    const addressChanged = ({ metadata }: DeepReadonly<IPAddress>) => {
      this.queue.add(`${ADDRESS}${metadata.name}`);
    };
    const serviceChanged = (service: DeepReadonly<Service>) => {
      for (const address of addressesOf(service)) this.queue.add(`${ADDRESS}${address}`);
    };
    this.#ranges.onChange({ added: rangesChanged, updated: rangesChanged, deleted: rangesChanged });
    this.#addresses.onChange({
      added: addressChanged,
      updated: (_, address) => addressChanged(address),
      deleted: (address) => {
        addressChanged(address);
        rangesChanged();
      },
    });
    this.#services.onChange({
      added: serviceChanged,
      updated: (old, service) => {
        serviceChanged(old);
        serviceChanged(service);
      },
      deleted: serviceChanged,
    });
  }

  async reconcileRange(name: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const range = this.#ranges.lister.get("", name);
    if (range === undefined) return;
    const inUse = this.#addresses.lister.list().map(({ metadata }) => metadata.name ?? "");
    const finalizers = protectedFinalizers(range, FINALIZER, () => !mayGo(range, this.#ranges.lister.list(), inUse));
    let current = range;
    if (finalizers !== undefined) {
      current = await client.update(resources.servicecidrs, { ...range, metadata: { ...range.metadata, finalizers } }, { signal });
      if (range.metadata.deletionTimestamp !== undefined) return;
    }
    await this.#writeReady(current, signal);
  }

  async #writeReady(range: Range, signal: AbortSignal): Promise<void> {
    const wanted = readyCondition(range, timestamp(this.#context.clock));
    const conditions = range.status?.conditions ?? [];
    const known = conditions.find(({ type }) => type === wanted.type);
    if (known?.status === wanted.status && known.reason === wanted.reason) return;
    const status = { ...range.status, conditions: [...conditions.filter(({ type }) => type !== wanted.type), wanted] };
    await this.#context.client.update(resources.servicecidrs, { ...range, status }, { subresource: "status", signal });
  }

  async reconcileAddress(address: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const [holder] = this.#services.lister.byIndex(BY_ADDRESS, address);
    const plan = planAddress(address, this.#addresses.lister.get("", address), holder);
    try {
      if (plan.type === "create") await client.create(resources.ipaddresses, plan.object, { signal });
      if (plan.type === "delete") await client.delete(resources.ipaddresses, address, { signal });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
    }
  }
}
