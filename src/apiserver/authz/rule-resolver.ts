// Which rules a user has: bindings followed to roles, aggregated cluster roles put together.
import type { UserInfo } from "../../api/index.ts";
import type { ClusterRole, Role, RoleRef, Subject } from "../../api/types/rbac/v1.ts";
import type { DeepReadonly, LabelSelector } from "../../machinery/index.ts";
import type { RbacSource } from "./rbac-source.ts";
import type { Rule } from "./rules.ts";

/** A rule that a user has through a binding; `namespace` is "" when it holds everywhere. */
export interface GrantedRule {
  readonly rule: Rule;
  readonly namespace: string;
  /** How the user came to it, for reasons. */
  readonly through: string;
}

type Refs = DeepReadonly<RoleRef>;
type Subjects = readonly DeepReadonly<Subject>[] | undefined;

/** A look at the source at one version. */
export class RuleResolver {
  readonly #source: RbacSource;
  readonly #clusterRoles = new Map<string, DeepReadonly<ClusterRole>>();
  readonly #roles = new Map<string, DeepReadonly<Role>>();
  readonly #clusterRules = new Map<string, readonly Rule[]>();

  constructor(source: RbacSource) {
    this.#source = source;
    for (const role of source.clusterRoles()) this.#clusterRoles.set(role.metadata.name ?? "", role);
    for (const role of source.roles()) this.#roles.set(`${role.metadata.namespace}/${role.metadata.name}`, role);
  }

  /** Every rule that `user` has in any namespace. */
  rulesOf(user: UserInfo): GrantedRule[] {
    const granted: GrantedRule[] = [];
    for (const binding of this.#source.clusterRoleBindings()) {
      if (!isSubject(user, binding.subjects, "")) continue;
      const through = `RBAC: allowed by ClusterRoleBinding "${binding.metadata.name}" of ClusterRole "${binding.roleRef.name}"`;
      for (const rule of this.rulesOfRef(binding.roleRef, "")) granted.push({ rule, namespace: "", through });
    }
    for (const binding of this.#source.roleBindings()) {
      const { name, namespace = "" } = binding.metadata;
      if (!isSubject(user, binding.subjects, namespace)) continue;
      const { kind, name: role } = binding.roleRef;
      const through = `RBAC: allowed by RoleBinding "${name}/${namespace}" of ${kind} "${role}"`;
      for (const rule of this.rulesOfRef(binding.roleRef, namespace)) granted.push({ rule, namespace, through });
    }
    return granted;
  }

  /** The rules of a role; none when it does not exist. */
  rulesOfRef({ kind, name }: Refs, namespace: string): readonly Rule[] {
    if (kind === "Role") return this.#roles.get(`${namespace}/${name}`)?.rules ?? [];
    let rules = this.#clusterRules.get(name);
    if (rules === undefined) {
      rules = [...this.#aggregate(name, new Set())];
      this.#clusterRules.set(name, rules);
    }
    return rules;
  }

  /** The rules of a cluster role and, when it aggregates, of all that its selectors choose. */
  #aggregate(name: string, seen: Set<string>): Set<Rule> {
    const rules = new Set<Rule>();
    const role = this.#clusterRoles.get(name);
    if (role === undefined || seen.has(name)) return rules;
    seen.add(name);
    for (const rule of role.rules ?? []) rules.add(rule);
    for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
      for (const [other, { metadata }] of this.#clusterRoles) {
        if (!selects(selector, metadata.labels ?? {})) continue;
        for (const rule of this.#aggregate(other, seen)) rules.add(rule);
      }
    }
    return rules;
  }
}

function isSubject(user: UserInfo, subjects: Subjects, bindingNamespace: string): boolean {
  return subjects?.some((subject) => names(subject, user, bindingNamespace)) === true;
}

function names({ kind, name, namespace }: DeepReadonly<Subject>, user: UserInfo, bindingNamespace: string): boolean {
  if (kind === "User") return user.name === name;
  if (kind === "Group") return user.groups.includes(name);
  if (kind !== "ServiceAccount") return false;
  const home = namespace === undefined || namespace === "" ? bindingNamespace : namespace;
  return home !== "" && user.name === `system:serviceaccount:${home}:${name}`;
}

function selects(selector: DeepReadonly<LabelSelector>, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    const isIn = value !== undefined && values.includes(value);
    const holds =
      operator === "Exists" ? value !== undefined : operator === "DoesNotExist" ? value === undefined : operator === "In" ? isIn : !isIn;
    if (!holds) return false;
  }
  return true;
}
