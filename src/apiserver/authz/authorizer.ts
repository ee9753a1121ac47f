// Who may do what: the question that is asked before every call, and the text of a refusal.
import type { UserInfo } from "../../api/index.ts";
import { forbidden, internalError, type StatusError } from "../../machinery/index.ts";
import { nonResourceError } from "./non-resource-error.ts";
import type { RequestSelectors } from "./request-selectors.ts";

/** A request as authorisers see it; `path` is set for requests that name no resource. */
export interface AuthorizationAttributes extends RequestSelectors {
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
  /** Set when it is refused for good: no other authorizer is asked. Otherwise one that does not allow has no opinion. */
  readonly denied?: boolean;
  /** Why an authorizer could not judge. */
  readonly error?: string;
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

/**
 * Answers at once where it can, and every request takes this path: await only what is a promise. Node and RBAC look up in watch
 * caches; only webhooks take time.
 */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision>;
  /** What a user may do in a namespace, for SelfSubjectRulesReview; absent: not told. */
  rulesFor?(user: UserInfo, namespace: string): SubjectRules;
}

/** Lets everyone do everything: for tests. */
export const allowAll: Authorizer = { authorize: () => ({ allowed: true, reason: "" }) };

/** Why a request that is not allowed is refused: Forbidden, unless nobody allows it and someone could not judge. */
export function refusal(attributes: AuthorizationAttributes, { reason, error }: Decision): StatusError {
  if (error !== undefined) return internalError(new Error(error));
  const { user, verb, path } = attributes;
  return path === undefined ? authorizationError(attributes, reason) : nonResourceError(user, verb, path);
}

/** `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"` */
export function authorizationError(attributes: AuthorizationAttributes, reason: string): StatusError {
  const { user, verb, group, resource, subresource, namespace, name } = attributes;
  const qualified = subresource === "" ? resource : `${resource}/${subresource}`;
  const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const why = `User "${user.name}" cannot ${verb} resource "${qualified}" in API group "${group}" ${place}`;
  return forbidden({ group, resource }, name, reason === "" ? why : `${why}: ${reason}`);
}
