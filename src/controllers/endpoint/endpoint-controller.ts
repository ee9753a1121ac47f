// Keeps the Endpoints of every service that has a selector, for those that do not read EndpointSlices yet.
import { resources } from "../../api/index.ts";
import type { Service } from "../../api/types/core/v1.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { createInNamespace } from "../create-in-namespace.ts";
import { Pace } from "../pace.ts";
import { ServicePodChanges } from "../service-pod-changes.ts";
import { serviceSelector } from "../service-pods.ts";
import { type Behind, behindAfter, isLeaderRecord, MANAGED_BY_LABEL, MANAGER, planEndpoints } from "./plan.ts";

export function endpointController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const services = informers.informer(resources.services);
  const pods = informers.informer(resources.pods);
  const endpoints = informers.informer(resources.endpoints);
  const add = (service: DeepReadonly<Service>) => queue.add(objectKey(service));
  services.onChange({ added: add, updated: (_, service) => add(service), deleted: add });
  const pace = new Pace(clock);
  const changes = new ServicePodChanges(services, pods, (key) => queue.addAfter(key, pace.restMs(key)));
  /** What was behind each service at the last look. */
  const known = new Map<string, { readonly service: DeepReadonly<Service>; readonly behind: readonly Behind[] }>();
  endpoints.onChange({
    // Those whose service went while nobody looked.
    added: (object) => {
      if (object.metadata.labels?.[MANAGED_BY_LABEL] === MANAGER) queue.add(objectKey(object));
    },
    deleted: (object) => queue.add(objectKey(object)),
  });

  const remove = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = splitKey(key);
    const current = endpoints.lister.get(namespace, name);
    if (current === undefined || isLeaderRecord(current)) return;
    try {
      await client.delete(resources.endpoints, name, { namespace, signal, options: { preconditions: { uid: current.metadata.uid } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = splitKey(key);
    const service = services.lister.get(namespace, name);
    const before = known.get(key);
    if (before?.service !== service) {
      known.delete(key);
      changes.forget(key);
    }
    if (service === undefined) {
      pace.looked(key, 0);
      await remove(key, signal);
      return undefined;
    }
    const current = endpoints.lister.get(namespace, name);
    if (serviceSelector(service) === undefined || (current !== undefined && isLeaderRecord(current))) return undefined;
    const startedMs = clock.monotonic();
    const changed = changes.take(service);
    const behind = behindAfter(before?.behind ?? [], service, changed);
    known.set(key, { service, behind });
    const plan = planEndpoints(service, behind, current);
    // However little of it is new, the object is sorted, written and told as a whole.
    pace.looked(key, changed.looks + behind.length, clock.monotonic() - startedMs);
    if (plan.type === "create") await createInNamespace(client, resources.endpoints, plan.endpoints, signal);
    else if (plan.type === "update") await client.update(resources.endpoints, plan.endpoints, { namespace, signal });
    return undefined;
  };
  return keyedController({ name: "endpoints-controller", context, queue, reconcile });
}
