// Keeps the rules of cluster roles that consist of others.
import { resources } from "../../api/index.ts";
import type { ClusterRole } from "../../api/types/rbac/v1.ts";
import { WorkQueue } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { aggregatedRules } from "./plan.ts";

/** @see kubernetes `pkg/controller/clusterroleaggregation` */
export function clusterRoleAggregationController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const roles = informers.informer(resources.clusterroles);
  // Any role may be part of any aggregated one.
  const changed = () => {
    for (const { metadata, aggregationRule } of roles.lister.list()) if (aggregationRule !== undefined) queue.add(metadata.name ?? "");
  };
  roles.onChange({ added: changed, updated: changed, deleted: changed });
  const reconcile = async (name: string, signal: AbortSignal) => {
    const role: DeepReadonly<ClusterRole> | undefined = roles.lister.get("", name);
    const rules = role === undefined ? undefined : aggregatedRules(role, roles.lister.list());
    if (role !== undefined && rules !== undefined) await client.update(resources.clusterroles, { ...role, rules }, { signal });
    return undefined;
  };
  return keyedController({ name: "clusterrole-aggregation-controller", context, queue, reconcile });
}
