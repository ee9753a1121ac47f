// SubjectAccessReview and SelfSubjectRulesReview: asking what one may do without doing it.
import type { UserInfo } from "../../api/index.ts";
import type { SubjectAccessReviewSpec, SubjectAccessReviewStatus, SubjectRulesReviewStatus } from "../../api/types/authorization/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { AuthorizationAttributes, Authorizer } from "./authorizer.ts";
import type { RbacAuthorizer } from "./rbac-authorizer.ts";
import type { Rule } from "./rules.ts";

type Spec = DeepReadonly<SubjectAccessReviewSpec>;

/** The user that a SubjectAccessReview asks about. */
export function reviewedUser({ user = "", groups = [], uid, extra }: Spec): UserInfo {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

/** Evaluates the attributes of an access review for `user`. */
export function reviewAccess(authorizer: Authorizer, user: UserInfo, spec: Spec): SubjectAccessReviewStatus {
  const decision = authorizer.authorize(attributesOf(user, spec));
  return { allowed: decision.allowed, ...(decision.reason === "" ? {} : { reason: decision.reason }) };
}

function attributesOf(user: UserInfo, spec: Spec): AuthorizationAttributes {
  const nowhere = { user, group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  const { nonResourceAttributes: outside, resourceAttributes: inside } = spec;
  if (outside !== undefined) return { ...nowhere, verb: outside.verb ?? "", path: outside.path ?? "" };
  return {
    user,
    verb: inside?.verb ?? "",
    group: inside?.group ?? "",
    version: inside?.version ?? "",
    resource: inside?.resource ?? "",
    subresource: inside?.subresource ?? "",
    namespace: inside?.namespace ?? "",
    name: inside?.name ?? "",
  };
}

/** All that `user` may do in `namespace`, as far as RBAC knows. */
export function reviewRules(rbac: RbacAuthorizer, user: UserInfo, namespace: string): SubjectRulesReviewStatus {
  const rules = user.groups.includes("system:masters") ? everything : rbac.rulesOf(user, namespace);
  return {
    resourceRules: rules
      .filter((rule) => rule.resources !== undefined)
      .map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
        verbs: [...verbs],
        apiGroups: [...apiGroups],
        resources: [...resources],
        ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] }),
      })),
    nonResourceRules: rules
      .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
      .map(({ verbs, nonResourceURLs = [] }) => ({ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] })),
    incomplete: false,
  };
}

const everything: readonly Rule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];
