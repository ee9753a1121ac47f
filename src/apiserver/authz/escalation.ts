// No one may give away what he does not have: the check on writes of roles and bindings.
import type { UserInfo } from "../../api/index.ts";
import type { RoleRef } from "../../api/types/rbac/v1.ts";
import { type DeepReadonly, forbidden } from "../../machinery/index.ts";
import type { Authorizer } from "./authorizer.ts";
import type { RbacAuthorizer } from "./rbac-authorizer.ts";
import { type Rule, uncovered } from "./rules.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";

export interface EscalationQuestion {
  readonly user: UserInfo;
  /** roles, clusterroles, rolebindings or clusterrolebindings. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export class EscalationCheck {
  readonly #rbac: RbacAuthorizer;
  readonly #authorizer: Authorizer;

  constructor(rbac: RbacAuthorizer, authorizer: Authorizer) {
    this.#rbac = rbac;
    this.#authorizer = authorizer;
  }

  /** Rejects with Forbidden when the role's rules go beyond the user's own and it has no `escalate`. */
  async checkRole(question: EscalationQuestion, rules: readonly Rule[]): Promise<void> {
    if (await this.#may(question, "escalate", question.resource, question.name)) return;
    this.#checkRules(question, rules);
  }

  /** Rejects with Forbidden when the bound role's rules go beyond the user's own and it has no `bind`. */
  async checkBinding(question: EscalationQuestion, roleRef: DeepReadonly<RoleRef>): Promise<void> {
    const roles = roleRef.kind === "Role" ? "roles" : "clusterroles";
    if (await this.#may(question, "bind", roles, roleRef.name)) return;
    this.#checkRules(question, this.#rbac.resolver.rulesOfRef(roleRef, question.namespace));
  }

  async #may({ user, namespace }: EscalationQuestion, verb: string, resource: string, name: string): Promise<boolean> {
    const attributes = { user, verb, group: RBAC_GROUP, version: "v1", resource, subresource: "", namespace, name };
    return (await this.#authorizer.authorize(attributes)).allowed;
  }

  #checkRules({ user, resource, namespace, name }: EscalationQuestion, rules: readonly Rule[]): void {
    const missing = uncovered(this.#rbac.rulesOf(user, namespace), rules);
    if (missing.length === 0) return;
    const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
    const list = missing.map(describe).join("\n");
    const why = `user "${user.name}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${list}`;
    throw forbidden({ group: RBAC_GROUP, resource }, name, why);
  }
}

function describe(rule: Rule): string {
  const fields = {
    APIGroups: rule.apiGroups,
    Resources: rule.resources,
    ResourceNames: rule.resourceNames,
    NonResourceURLs: rule.nonResourceURLs,
  };
  const parts = Object.entries({ ...fields, Verbs: rule.verbs }).filter(([, values]) => values !== undefined);
  return `{${parts.map(([name, values]) => `${name}:${JSON.stringify(values)}`).join(", ")}}`;
}
