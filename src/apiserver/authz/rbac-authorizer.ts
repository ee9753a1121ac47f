// Role-based access control: what a user may do is compiled once per (user, groups) and question, and forgotten when a role
// or binding changes.
import type { UserInfo } from "../../api/index.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";
import type { RbacSource } from "./rbac-source.ts";
import { type GrantedRule, RuleResolver } from "./rule-resolver.ts";
import { coversName, coversPath, coversResource, type Rule } from "./rules.ts";

const denied: Decision = { allowed: false, reason: "" };

/** The granted rules that speak of one verb and resource: everywhere, and by namespace. */
interface Answer {
  readonly everywhere: readonly GrantedRule[];
  readonly byNamespace: ReadonlyMap<string, readonly GrantedRule[]>;
}

interface CompiledUser {
  readonly granted: readonly GrantedRule[];
  readonly answers: Map<string, Answer>;
  readonly paths: Map<string, Decision>;
}

/** More different users or paths than this are rather an attack than a workload; the caches start anew. */
const CACHE_LIMIT = 4096;

export class RbacAuthorizer implements Authorizer {
  readonly #source: RbacSource;
  readonly #users = new Map<string, CompiledUser>();
  #version = -1;
  #resolver: RuleResolver;

  constructor(source: RbacSource) {
    this.#source = source;
    this.#resolver = new RuleResolver(source);
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const user = this.#compiled(attributes.user);
    return attributes.path === undefined ? resourceDecision(user, attributes) : pathDecision(user, attributes.verb, attributes.path);
  }

  /** Every rule of `user` that holds in `namespace`. */
  rulesOf(user: UserInfo, namespace: string): Rule[] {
    const { granted } = this.#compiled(user);
    return granted.filter((grant) => grant.namespace === "" || grant.namespace === namespace).map((grant) => grant.rule);
  }

  rulesFor(user: UserInfo, namespace: string): SubjectRules {
    const rules = this.rulesOf(user, namespace);
    return {
      resourceRules: rules.flatMap(({ verbs, apiGroups = [], resources, resourceNames }) => {
        if (resources === undefined) return [];
        return [{ verbs, apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) }];
      }),
      nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) => (nonResourceURLs === undefined ? [] : [{ verbs, nonResourceURLs }])),
      incomplete: false,
    };
  }

  /** Sees the roles as they are now. */
  get resolver(): RuleResolver {
    this.#refresh();
    return this.#resolver;
  }

  #refresh(): void {
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#users.clear();
    this.#resolver = new RuleResolver(this.#source);
  }

  #compiled(user: UserInfo): CompiledUser {
    this.#refresh();
    const key = `${user.name}\n${user.groups.join("\n")}`;
    let compiled = this.#users.get(key);
    if (compiled === undefined) {
      if (this.#users.size >= CACHE_LIMIT) this.#users.clear();
      compiled = { granted: this.#resolver.rulesOf(user), answers: new Map(), paths: new Map() };
      this.#users.set(key, compiled);
    }
    return compiled;
  }
}

function resourceDecision(user: CompiledUser, attributes: AuthorizationAttributes): Decision {
  const { verb, group, resource, subresource, name } = attributes;
  const key = `${verb} ${group} ${resource}/${subresource}`;
  let answer = user.answers.get(key);
  if (answer === undefined) {
    if (user.answers.size >= CACHE_LIMIT) user.answers.clear();
    answer = answerOf(user.granted, attributes);
    user.answers.set(key, answer);
  }
  // A namespace is asked about inside itself, so that its own roles can allow to see it.
  const isNamespace = resource === "namespaces" && group === "" && attributes.namespace === "";
  const grant = firstOf(answer.everywhere, name) ?? firstOf(answer.byNamespace.get(isNamespace ? name : attributes.namespace), name);
  return grant === undefined ? denied : { allowed: true, reason: grant.through };
}

function answerOf(granted: readonly GrantedRule[], attributes: AuthorizationAttributes): Answer {
  const everywhere: GrantedRule[] = [];
  const byNamespace = new Map<string, GrantedRule[]>();
  for (const grant of granted) {
    if (!coversResource(grant.rule, attributes)) continue;
    if (grant.namespace === "") everywhere.push(grant);
    else byNamespace.set(grant.namespace, [...(byNamespace.get(grant.namespace) ?? []), grant]);
  }
  return { everywhere, byNamespace };
}

function firstOf(grants: readonly GrantedRule[] | undefined, name: string): GrantedRule | undefined {
  return grants?.find((grant) => coversName(grant.rule, name));
}

function pathDecision(user: CompiledUser, verb: string, path: string): Decision {
  const key = `${verb} ${path}`;
  let decision = user.paths.get(key);
  if (decision === undefined) {
    if (user.paths.size >= CACHE_LIMIT) user.paths.clear();
    const grant = user.granted.find(({ rule, namespace }) => namespace === "" && coversPath(rule, verb, path));
    decision = grant === undefined ? denied : { allowed: true, reason: grant.through };
    user.paths.set(key, decision);
  }
  return decision;
}
