// Gives every namespace the certificate authority by which its pods know the API server.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { createInNamespace } from "../create-in-namespace.ts";
import { isActive } from "../serviceaccount/plan.ts";
import { planRootCa, ROOT_CA_CONFIG_MAP } from "./plan.ts";

export interface RootCaPublisherOptions {
  /** The certificates, PEM. */
  readonly caPem: string;
}

/** @see kubernetes `pkg/controller/certificates/rootcacertpublisher/publisher.go` */
export function rootCaPublisher(context: ControllerContext, { caPem }: RootCaPublisherOptions): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const namespaces = informers.informer(resources.namespaces);
  const configMaps = informers.informer(resources.configmaps);
  const add = (name: string | undefined) => queue.add(name ?? "");
  const changed = ({
    metadata,
  }: {
    readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined };
  }) => {
    if (metadata.name === ROOT_CA_CONFIG_MAP) add(metadata.namespace);
  };
  namespaces.onChange({ added: ({ metadata }) => add(metadata.name), updated: (_, { metadata }) => add(metadata.name) });
  configMaps.onChange({ updated: (_, configMap) => changed(configMap), deleted: changed });
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    if (!isActive(namespaces.lister.get("", namespace))) return undefined;
    const plan = planRootCa(namespace, caPem, configMaps.lister.get(namespace, ROOT_CA_CONFIG_MAP));
    if (plan.type === "create") await createInNamespace(client, resources.configmaps, plan.configMap, signal);
    else if (plan.type === "update") await client.update(resources.configmaps, plan.configMap, { namespace, signal });
    return undefined;
  };
  return keyedController({ name: "root-ca-certificate-publisher-controller", context, queue, reconcile });
}
