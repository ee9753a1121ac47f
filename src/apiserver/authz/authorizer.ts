// Who may do what: the question that is asked before every call, and the text of a refusal.
import type { UserInfo } from "../../api/index.ts";
import { forbidden, type StatusError } from "../../machinery/index.ts";

/** A request as authorisers see it; `path` is set for requests that name no resource. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** "" for cluster-scoped resources and for all namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** Why; on a refusal it is shown to the user. */
  readonly reason: string;
}

/** The rules that a user has, as SelfSubjectRulesReview tells them. */
export interface SubjectRules {
  readonly resourceRules: readonly {
    readonly verbs: readonly string[];
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly nonResourceRules: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs?: readonly string[] }[];
  readonly incomplete: boolean;
  readonly evaluationError?: string;
}

/** Answers at once: what it needs to know stands in watch caches. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision;
  /** What a user may do in a namespace, for SelfSubjectRulesReview; absent: not told. */
  rulesFor?(user: UserInfo, namespace: string): SubjectRules;
}

/** Lets everyone do everything: for tests. */
export const allowAll: Authorizer = { authorize: () => ({ allowed: true, reason: "" }) };

/** `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"` */
export function authorizationError(attributes: AuthorizationAttributes, reason: string): StatusError {
  const { user, verb, group, resource, subresource, namespace, name } = attributes;
  const qualified = subresource === "" ? resource : `${resource}/${subresource}`;
  const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const why = `User "${user.name}" cannot ${verb} resource "${qualified}" in API group "${group}" ${place}`;
  return forbidden({ group, resource }, name, reason === "" ? why : `${why}: ${reason}`);
}
