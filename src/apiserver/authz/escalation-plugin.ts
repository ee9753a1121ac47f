// The escalation check as an admission plugin on roles and bindings.
import type { PolicyRule, RoleRef } from "../../api/types/rbac/v1.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission/admission.ts";
import type { EscalationCheck } from "./escalation.ts";

const GROUP = "rbac.authorization.k8s.io";
const roles = new Set(["roles", "clusterroles"]);

export class EscalationPlugin implements AdmissionPlugin {
  readonly name = "RBACEscalation";
  readonly resources = [`${GROUP}/roles`, `${GROUP}/clusterroles`, `${GROUP}/rolebindings`, `${GROUP}/clusterrolebindings`];
  readonly #check: EscalationCheck;

  constructor(check: EscalationCheck) {
    this.#check = check;
  }

  validate({ scope, object, old }: AdmissionRequest): void | Promise<void> {
    if (object === undefined || scope.user.groups.includes("system:masters")) return undefined;
    const { user, namespace } = scope;
    const { resource } = scope.resource;
    const question = { user, resource, namespace, name: object.metadata.name ?? "" };
    const part = roles.has(resource) ? "rules" : "roleRef";
    // What stays the same gives nothing away; subjects of a binding count.
    const subjects = JSON.stringify(object["subjects"]) === JSON.stringify((old as { subjects?: unknown } | undefined)?.subjects);
    const isSame = JSON.stringify(object[part]) === JSON.stringify((old as Record<string, unknown> | undefined)?.[part]);
    if (old !== undefined && isSame && subjects) return undefined;
    if (part === "rules") return this.#check.checkRole(question, (object["rules"] ?? []) as PolicyRule[]);
    return this.#check.checkBinding(question, object["roleRef"] as RoleRef);
  }
}
