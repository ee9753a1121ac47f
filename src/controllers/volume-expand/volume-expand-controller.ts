// Tells of claims that ask for more than their volume has: expanding is their driver's own controller's work.
import { resources } from "../../api/index.ts";
import type { PersistentVolumeClaim } from "../../api/types/core/v1.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, objectKey, quantityMilli, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";

/** Whether the claim is bound and asks for more than it has. */
export function asksForMore({ spec, status }: DeepReadonly<PersistentVolumeClaim>): boolean {
  const wanted = spec?.resources?.requests?.["storage"];
  const has = status?.capacity?.["storage"];
  return status?.phase === "Bound" && wanted !== undefined && has !== undefined && quantityMilli(wanted) > quantityMilli(has);
}

/** @see kubernetes `pkg/controller/volume/expand/expand_controller.go` */
export function volumeExpandController(context: ControllerContext): Controller {
  const { clock, informers, recorder } = context;
  const queue = new WorkQueue<string>({ clock });
  const claims = informers.informer(resources.persistentvolumeclaims);
  claims.onChange({
    added: (claim) => asksForMore(claim) && queue.add(objectKey(claim)),
    updated: (old, claim) => asksForMore(claim) && old.spec !== claim.spec && queue.add(objectKey(claim)),
  });
  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key);
    const claim = claims.lister.get(namespace, name);
    if (claim === undefined || !asksForMore(claim)) return undefined;
    recorder.event(claim, "Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC");
    return undefined;
  };
  return keyedController({ name: "persistentvolume-expander-controller", context, queue, reconcile });
}
