// Puts the escalation check in front of writes of roles and bindings.
import { deepEqual } from "../../machinery/index.ts";
import type { EscalationCheck, EscalationQuestion } from "../authz/escalation.ts";
import { type Draft, fieldOf } from "../registry/draft.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const GROUP = "rbac.authorization.k8s.io";

type RoleRules = Parameters<EscalationCheck["checkRole"]>[1];
type RoleRef = Parameters<EscalationCheck["checkBinding"]>[1];

/** Refuses roles that grant, and bindings that hand out, what their writer does not have. */
export function rbacEscalation(check: EscalationCheck): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    resources: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"].map((plural) => `${GROUP}/${plural}`),
    validate({ scope, object, old }: AdmissionRequest) {
      if (object === undefined || isAbove(scope.user.groups)) return;
      const { user, resource, namespace, name } = scope;
      const question: EscalationQuestion = {
        user,
        resource: resource.resource,
        namespace,
        name: name === "" ? (object.metadata.name ?? "") : name,
      };
      const isRole = question.resource === "roles" || question.resource === "clusterroles";
      if (isRole) checkRole(check, question, object, old);
      else if (old === undefined || !sameField(object, old, "subjects")) check.checkBinding(question, object["roleRef"] as RoleRef);
    },
  };
}

function isAbove(groups: readonly string[]): boolean {
  return groups.includes("system:masters");
}

function checkRole(check: EscalationCheck, question: EscalationQuestion, object: Draft, old: object | undefined): void {
  if (old !== undefined && sameField(object, old, "rules") && sameField(object, old, "aggregationRule")) return;
  // Whoever aggregates roles grants all that any role may come to hold.
  if (object["aggregationRule"] !== undefined) check.checkRole(question, everything);
  check.checkRole(question, (object["rules"] ?? []) as RoleRules);
}

const everything: RoleRules = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

function sameField(object: object, old: object, name: string): boolean {
  return deepEqual(fieldOf(object, name), fieldOf(old, name));
}
