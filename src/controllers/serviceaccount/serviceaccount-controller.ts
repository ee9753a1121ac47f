// Sees to it that every namespace has its default service account.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { createInNamespace } from "../create-in-namespace.ts";
import { DEFAULT_SERVICE_ACCOUNT, missingServiceAccounts } from "./plan.ts";

/** @see kubernetes `pkg/controller/serviceaccount/serviceaccounts_controller.go` */
export function serviceAccountController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const namespaces = informers.informer(resources.namespaces);
  const accounts = informers.informer(resources.serviceaccounts);
  const add = (name: string | undefined) => queue.add(name ?? "");
  namespaces.onChange({ added: ({ metadata }) => add(metadata.name), updated: (_, { metadata }) => add(metadata.name) });
  accounts.onChange({
    deleted: ({ metadata }) => {
      if (metadata.name === DEFAULT_SERVICE_ACCOUNT) add(metadata.namespace);
    },
  });
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    const has = (name: string) => accounts.lister.get(namespace, name) !== undefined;
    for (const name of missingServiceAccounts(namespaces.lister.get("", namespace), has)) {
      const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
      await createInNamespace(client, resources.serviceaccounts, account, signal);
    }
    return undefined;
  };
  return keyedController({ name: "serviceaccount-controller", context, queue, reconcile });
}
