// The plugins that are always on, in upstream's order.
import type { AdmissionPlugin } from "./admission.ts";
import type { ClusterView } from "./cluster-view.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { LimitRanger } from "./limit-ranger.ts";
import { NamespaceLifecycle } from "./namespace-lifecycle.ts";
import { NodeRestriction } from "./node-restriction.ts";
import { PriorityAdmission } from "./priority.ts";
import { ResourceQuotaAdmission } from "./quota/resource-quota.ts";
import { ServiceAccountAdmission } from "./service-account.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export function builtInPlugins(view: ClusterView): AdmissionPlugin[] {
  return [
    new NamespaceLifecycle(view),
    new LimitRanger(view),
    new ServiceAccountAdmission(view),
    new NodeRestriction(view),
    taintNodesByCondition,
    new PriorityAdmission(view),
    defaultTolerationSeconds,
    new ResourceQuotaAdmission(view),
  ];
}
