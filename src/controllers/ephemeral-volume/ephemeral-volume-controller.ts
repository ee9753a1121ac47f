// Makes the claims of pods' ephemeral volumes; the garbage collector removes them with their pods.
import { resources } from "../../api/index.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import { getControllerOf, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { createInNamespace } from "../create-in-namespace.ts";
import { planEphemeralClaims } from "./plan.ts";

/** @see kubernetes `pkg/controller/volume/ephemeral` */
export function ephemeralVolumeController(context: ControllerContext): Controller {
  const { client, clock, informers, recorder } = context;
  const queue = new WorkQueue<string>({ clock });
  const pods = informers.informer(resources.pods);
  const claims = informers.informer(resources.persistentvolumeclaims);
  const changed = (pod: DeepReadonly<Pod>) => {
    if (pod.spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true) queue.add(objectKey(pod));
  };
  const claimDeleted = (claim: DeepReadonly<PersistentVolumeClaim>) => {
    const owner = getControllerOf(claim);
    if (owner?.kind === "Pod") queue.add(`${claim.metadata.namespace}/${owner.name}`);
  };
  pods.onChange({ added: changed, updated: (_, pod) => changed(pod) });
  claims.onChange({ deleted: claimDeleted });
  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = splitKey(key);
    const pod = pods.lister.get(namespace, name);
    if (pod === undefined) return undefined;
    for (const plan of planEphemeralClaims(pod, (claimName) => claims.lister.get(namespace, claimName))) {
      if (plan.type === "create") await createInNamespace(client, resources.persistentvolumeclaims, plan.claim, signal);
      else recorder.event(pod, "Warning", "ConflictingVolumeClaim", plan.message);
    }
    return undefined;
  };
  return keyedController({ name: "ephemeral-volume-controller", context, queue, reconcile });
}
