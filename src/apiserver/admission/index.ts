// The plugins that are always on, in upstream's order.
import type { AdmissionPlugin } from "./admission.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { LimitRanger } from "./limit-ranger.ts";
import { NamespaceLifecycle } from "./namespace-lifecycle.ts";
import { NodeRestriction } from "./node-restriction.ts";
import { MutatingPolicies } from "./policy/mutating-policies.ts";
import { ValidatingPolicies } from "./policy/validating-policies.ts";
import { PriorityAdmission } from "./priority.ts";
import { ResourceQuotaAdmission } from "./quota/resource-quota.ts";
import { ServiceAccountAdmission } from "./service-account.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";
import type { HookTools } from "./webhook/hook-caller.ts";
import { MutatingWebhooks } from "./webhook/mutating-webhooks.ts";
import { ValidatingWebhooks } from "./webhook/validating-webhooks.ts";

export function builtInPlugins(view: HookTools): AdmissionPlugin[] {
  return [
    new NamespaceLifecycle(view),
    new LimitRanger(view),
    new ServiceAccountAdmission(view),
    new NodeRestriction(view),
    taintNodesByCondition,
    new PriorityAdmission(view),
    defaultTolerationSeconds,
    new MutatingPolicies(view),
    new MutatingWebhooks(view),
    new ValidatingPolicies(view),
    new ValidatingWebhooks(view),
    new ResourceQuotaAdmission(view),
  ];
}
