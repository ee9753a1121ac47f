// Says in a config map since when this cluster's servers note which tokens of secrets are used.
import type { ApiHandler, ResourceCatalog } from "../../api/index.ts";
import type { Clock } from "../../base/index.ts";
import { isAlreadyExists } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";

export async function announceTokenTracking(handler: ApiHandler, catalog: ResourceCatalog, clock: Pick<Clock, "now">): Promise<void> {
  const resource = catalog.find("", "v1", "configmaps");
  if (resource === undefined) throw new Error("the catalog has no configmaps");
  const namespace = "kube-system";
  const scope = { user: loopbackUser, resource, namespace, name: "", subresource: "", fieldManager: "kube-apiserver" };
  const since = new Date(clock.now()).toISOString().slice(0, 10);
  const object = { metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace }, data: { since } };
  try {
    await handler.create(scope, object, {});
  } catch (error) {
    // Another server, or this one before, has begun.
    if (!isAlreadyExists(error)) throw error;
  }
}
