// Removes requests for pods' certificates that nobody waits for any more, however they have ended.
import { resources } from "../../api/index.ts";
import type { PodCertificateRequest } from "../../api/types/certificates/v1beta1.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isConflict, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";

/** Nodes and signers are through with a request long before. */
const KEPT_MS = 15 * 60_000;

/** @see kubernetes `pkg/controller/certificates/cleaner/pcrcleaner.go` */
export function podCertificateRequestCleaner(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const requests = informers.informer(resources.podcertificaterequests);
  requests.onChange({ added: ({ metadata }: DeepReadonly<PodCertificateRequest>) => queue.add(`${metadata.namespace}/${metadata.name}`) });
  const reconcile = async (key: string, signal: AbortSignal) => {
    const [namespace = "", name = ""] = key.split("/");
    const request = requests.lister.get(namespace, name);
    if (request === undefined) return undefined;
    const { uid, creationTimestamp = "" } = request.metadata;
    const waitMs = Date.parse(creationTimestamp) + KEPT_MS - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    try {
      await client.delete(resources.podcertificaterequests, name, { namespace, options: { preconditions: { uid } }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  };
  return keyedController({ name: "podcertificaterequest-cleaner-controller", context, queue, reconcile });
}
