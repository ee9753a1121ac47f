// Which flow schema a request belongs to. Pure; what depends on the user alone is remembered for as long as the user object is
// in use, which for a connection with a client certificate is the connection's life.
import type { UserInfo } from "../../api/index.ts";
import type { FlowSchema } from "../../api/types/flowcontrol/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { RequestInfo } from "../front/request-info.ts";

type Rules = NonNullable<NonNullable<DeepReadonly<FlowSchema>["spec"]>["rules"]>[number];
type Subject = Rules["subjects"][number];
type ResourceRule = NonNullable<Rules["resourceRules"]>[number];
type NonResourceRule = NonNullable<Rules["nonResourceRules"]>[number];

export type Asked = Pick<RequestInfo, "isResource" | "verb" | "group" | "resource" | "subresource" | "namespace" | "path">;

interface Candidate {
  readonly schema: DeepReadonly<FlowSchema>;
  readonly rules: readonly Rules[];
}

export class FlowMatcher {
  /** By precedence, then by name. */
  readonly #schemas: readonly DeepReadonly<FlowSchema>[];
  readonly #byUser = new WeakMap<UserInfo, readonly Candidate[]>();

  constructor(schemas: readonly DeepReadonly<FlowSchema>[]) {
    const precedence = ({ spec }: DeepReadonly<FlowSchema>) => spec?.matchingPrecedence ?? 1000;
    const name = ({ metadata }: DeepReadonly<FlowSchema>) => metadata.name ?? "";
    this.#schemas = schemas.toSorted((a, b) => precedence(a) - precedence(b) || (name(a) < name(b) ? -1 : 1));
  }

  /** The first schema with a rule for the user and the request. */
  match(user: UserInfo, asked: Asked): DeepReadonly<FlowSchema> | undefined {
    return this.#candidates(user).find(({ rules }) => rules.some((rule) => covers(rule, asked)))?.schema;
  }

  #candidates(user: UserInfo): readonly Candidate[] {
    let candidates = this.#byUser.get(user);
    if (candidates === undefined) {
      candidates = this.#schemas.flatMap((schema) => {
        const rules = (schema.spec?.rules ?? []).filter(({ subjects }) => subjects.some((subject) => isSubject(subject, user)));
        return rules.length === 0 ? [] : [{ schema, rules }];
      });
      this.#byUser.set(user, candidates);
    }
    return candidates;
  }
}

function isSubject({ kind, user: one, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case "User":
      return one?.name === "*" || one?.name === user.name;
    case "Group":
      return group?.name === "*" || user.groups.includes(group?.name ?? "");
    case "ServiceAccount": {
      const prefix = `system:serviceaccount:${serviceAccount?.namespace}:`;
      return serviceAccount?.name === "*" ? user.name.startsWith(prefix) : user.name === `${prefix}${serviceAccount?.name}`;
    }
    default:
      return false;
  }
}

function covers({ resourceRules = [], nonResourceRules = [] }: Rules, asked: Asked): boolean {
  if (asked.isResource) return resourceRules.some((rule) => coversResource(rule, asked));
  return nonResourceRules.some((rule) => coversPath(rule, asked));
}

function coversResource(rule: ResourceRule, { verb, group, resource, subresource, namespace }: Asked): boolean {
  const name = subresource === "" ? resource : `${resource}/${subresource}`;
  const isPlace = namespace === "" ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace);
  return isPlace && has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, name);
}

function coversPath({ verbs, nonResourceURLs }: NonResourceRule, { verb, path }: Asked): boolean {
  return has(verbs, verb) && nonResourceURLs.some((url) => url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1))));
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes(wanted) || list.includes("*");
}
