// Publishes the certificate authority of the API server as a ClusterTrustBundle.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { planServingBundle } from "./plan.ts";

export interface ClusterTrustBundlePublisherOptions {
  /** The certificates, PEM. */
  readonly caPem: string;
}

const NAME = "kube-apiserver-serving-clustertrustbundle-publisher-controller";

/** @see kubernetes `pkg/controller/certificates/clustertrustbundlepublisher/publisher.go` */
export function clusterTrustBundlePublisher(context: ControllerContext, { caPem }: ClusterTrustBundlePublisherOptions): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const bundles = informers.informer(resources.clustertrustbundles);
  const add = () => queue.add("");
  bundles.onChange({ added: add, updated: add, deleted: add });
  // There is something to do without any bundle, too.
  add();
  const reconcile = async (_key: string, signal: AbortSignal) => {
    const { create, update, remove } = planServingBundle(caPem, bundles.lister.list());
    if (create !== undefined) await client.create(resources.clustertrustbundles, create, { signal }).catch(unless(isAlreadyExists));
    if (update !== undefined) await client.update(resources.clustertrustbundles, update, { signal });
    for (const name of remove) await client.delete(resources.clustertrustbundles, name, { signal }).catch(unless(isNotFound));
    return undefined;
  };
  return keyedController({ name: NAME, context, queue, reconcile });
}

/** Passes over an error that the informer has not seen the cause of yet. */
function unless(isHarmless: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!isHarmless(error)) throw error;
  };
}
