// Mirrors Endpoints that people keep by hand into EndpointSlices, which is what proxies read.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { createInNamespace } from "../create-in-namespace.ts";
import { MANAGED_BY_LABEL, MIRROR, planMirror, SERVICE_NAME_LABEL, type Slice } from "./plan.ts";

const BY_SERVICE = "endpointslice-mirroring/service";

/** @see kubernetes `pkg/controller/endpointslicemirroring` */
export function endpointSliceMirroringController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const endpoints = informers.informer(resources.endpoints);
  const services = informers.informer(resources.services);
  const slices = informers.informer(resources.endpointslices);
  const keyOf = ({ metadata }: Slice) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`;
  slices.addIndex(BY_SERVICE, (slice) => (slice.metadata.labels?.[MANAGED_BY_LABEL] === MIRROR ? [keyOf(slice)] : []));
  const add = (object: DeepReadonly<KubeObject>) => queue.add(objectKey(object));
  const sliceChanged = (slice: Slice) => {
    if (slice.metadata.labels?.[MANAGED_BY_LABEL] === MIRROR) queue.add(keyOf(slice));
  };
  for (const informer of [endpoints, services]) informer.onChange({ added: add, updated: (_, object) => add(object), deleted: add });
  slices.onChange({ added: sliceChanged, updated: (_, slice) => sliceChanged(slice), deleted: sliceChanged });

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = splitKey(key);
    const existing = slices.lister.byIndex(BY_SERVICE, key);
    const plan = planMirror(endpoints.lister.get(namespace, name), services.lister.get(namespace, name), existing);
    for (const slice of plan.create) await createInNamespace(client, resources.endpointslices, slice, signal);
    for (const slice of plan.update) await client.update(resources.endpointslices, slice, { namespace, signal });
    for (const { metadata } of plan.delete) {
      await client.delete(resources.endpointslices, metadata.name ?? "", { namespace, signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    return undefined;
  };
  return keyedController({ name: "endpointslice-mirroring-controller", context, queue, reconcile });
}
