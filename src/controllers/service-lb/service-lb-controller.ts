// Gives Services of type LoadBalancer their addresses; that traffic to these reaches endpoints is the service proxies' part.
import { resources } from "../../api/index.ts";
import type { LoadBalancerIngress, Node, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { CLEANUP_FINALIZER, internalIps, isUsable, type LoadBalancerOptions, planLoadBalancer, wantsLoadBalancer } from "./plan.ts";

const BY_SERVICE = "service-lb-controller/service";
const BY_TYPE = "service-lb-controller/type";
const BALANCED = "LoadBalancer";
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** @see kubernetes `k8s.io/cloud-provider/controllers/service/controller.go` */
export function serviceLbController(context: ControllerContext, options: LoadBalancerOptions): Controller {
  const reconciler = new ServiceLbReconciler(context, options);
  return keyedController({
    name: "service-lb-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
    // One at a time: an address must not be given twice.
    concurrency: 1,
  });
}

class ServiceLbReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #options: LoadBalancerOptions;
  readonly #services: Informer<Service>;
  readonly #nodes: Informer<Node>;
  readonly #slices: Informer<EndpointSlice>;
  /** Services as we wrote them, until the informer has something as new. */
  readonly #written = new Map<string, DeepReadonly<Service>>();

  constructor(context: ControllerContext, options: LoadBalancerOptions) {
    const { informers, clock } = context;
    this.#context = context;
    this.#options = options;
    this.queue = new WorkQueue({ clock });
    this.#services = informers.informer(resources.services);
    this.#nodes = informers.informer(resources.nodes);
    this.#slices = informers.informer(resources.endpointslices);
    this.#services.addIndex(BY_TYPE, ({ spec }) => [spec?.type ?? ""]);
    this.#slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
    this.#watch();
  }

  #watch(): void {
    const addAll = () => this.#addAll();
    this.#services.onChange({
      added: (service) => this.#seen(service),
      updated: (old, service) => {
        // What others write into the status is theirs to answer for.
        if (!deepEqual(old.spec, service.spec) || old.metadata.deletionTimestamp !== service.metadata.deletionTimestamp)
          this.#seen(service, old);
      },
      deleted: (service) => {
        this.#written.delete(objectKey(service));
        if (service.spec?.type === BALANCED) addAll();
      },
    });
    this.#nodes.onChange({
      added: addAll,
      updated: (old, node) => {
        if (isUsable(old) !== isUsable(node) || !deepEqual(internalIps(old), internalIps(node))) addAll();
      },
      deleted: addAll,
    });
    const seen = (slice: DeepReadonly<EndpointSlice>) => this.#sliceSeen(slice);
    this.#slices.onChange({ added: seen, updated: (_, slice) => seen(slice), deleted: seen });
  }

  /** A Service that gets or leaves ports or addresses may make them free for another. */
  #seen(service: DeepReadonly<Service>, old?: DeepReadonly<Service>): void {
    const isBalanced = service.spec?.type === BALANCED || old?.spec?.type === BALANCED;
    if (!isBalanced && service.metadata.finalizers?.includes(CLEANUP_FINALIZER) !== true) return;
    this.queue.add(objectKey(service));
    if (old !== undefined) this.#addAll();
  }

  #sliceSeen(slice: DeepReadonly<EndpointSlice>): void {
    const key = serviceKeyOf(slice);
    const { namespace, name } = splitKey(key);
    const spec = this.#services.lister.get(namespace, name)?.spec;
    if (spec?.type === BALANCED && spec.externalTrafficPolicy === "Local") this.queue.add(key);
  }

  #addAll(): void {
    for (const service of this.#services.lister.byIndex(BY_TYPE, BALANCED)) this.queue.add(objectKey(service));
  }

  async reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const service = this.#current(key);
    if (service === undefined) return;
    if (wantsLoadBalancer(service)) await this.#ensure(service, signal);
    else if (service.metadata.finalizers?.includes(CLEANUP_FINALIZER) === true) await this.#cleanUp(service, signal);
  }

  async #ensure(service: DeepReadonly<Service>, signal: AbortSignal): Promise<void> {
    const key = objectKey(service);
    const balanced = this.#services.lister.byIndex(BY_TYPE, BALANCED).map((other) => this.#current(objectKey(other)) ?? other);
    const { ingress, problem } = planLoadBalancer({
      service,
      balanced: balanced.filter(wantsLoadBalancer),
      nodes: this.#nodes.lister.list(),
      slices: this.#slices.lister.byIndex(BY_SERVICE, key),
      options: this.#options,
    });
    const { recorder } = this.#context;
    const isChanged = !deepEqual(service.status?.loadBalancer?.ingress ?? [], ingress);
    if (isChanged) recorder.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    await this.#write(service, { finalizers: [...new Set([...(service.metadata.finalizers ?? []), CLEANUP_FINALIZER])], ingress }, signal);
    if (problem !== undefined) recorder.event(service, "Warning", "SyncLoadBalancerFailed", `Error syncing load balancer: ${problem}`);
    else if (isChanged) recorder.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
  }

  async #cleanUp(service: DeepReadonly<Service>, signal: AbortSignal): Promise<void> {
    const { recorder } = this.#context;
    recorder.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
    await this.#write(service, { finalizers: withoutOurs(service), ingress: [] }, signal);
    recorder.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
  }

  /** Finalizers and addresses go by the status, as upstream's do: the controller may write no more of a Service. */
  async #write(
    service: DeepReadonly<Service>,
    { finalizers, ingress }: { readonly finalizers: readonly string[]; readonly ingress: readonly LoadBalancerIngress[] },
    signal: AbortSignal,
  ): Promise<void> {
    const { metadata, status } = service;
    if (isSame(metadata.finalizers, finalizers) && isSame(status?.loadBalancer?.ingress, ingress)) return;
    const loadBalancer = ingress.length === 0 ? {} : { ingress };
    const object = { ...service, metadata: { ...metadata, finalizers }, status: { ...status, loadBalancer } };
    const options = { namespace: metadata.namespace, signal, subresource: "status" };
    this.#written.set(objectKey(service), await this.#context.client.update(resources.services, object, options));
  }

  /** The newest that is known of a Service. */
  #current(key: string): DeepReadonly<Service> | undefined {
    const { namespace, name } = splitKey(key);
    const seen = this.#services.lister.get(namespace, name);
    const written = this.#written.get(key);
    if (seen === undefined || written === undefined) return seen;
    const isNewer = written.metadata.uid === seen.metadata.uid && revisionOf(written) > revisionOf(seen);
    if (!isNewer) this.#written.delete(key);
    return isNewer ? written : seen;
  }
}

/** The finalizers that are not ours. */
function withoutOurs({ metadata }: DeepReadonly<Service>): readonly string[] {
  return (metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
}

function isSame<T>(present: readonly T[] | undefined, wanted: readonly T[]): boolean {
  return deepEqual(present ?? [], wanted);
}

function revisionOf({ metadata }: DeepReadonly<Service>): bigint {
  return BigInt(metadata.resourceVersion ?? "0");
}

function serviceKeyOf({ metadata }: DeepReadonly<EndpointSlice>): string {
  return `${metadata.namespace ?? ""}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
}
