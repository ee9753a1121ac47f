// The first authorizer that allows decides; members of system:masters may do everything.
import type { UserInfo } from "../../api/index.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";

const master: Decision = { allowed: true, reason: "" };
const MASTERS = "system:masters";

export class UnionAuthorizer implements Authorizer {
  readonly #members: readonly Authorizer[];

  constructor(members: readonly Authorizer[]) {
    this.#members = members;
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    if (attributes.user.groups.includes(MASTERS)) return master;
    const reasons: string[] = [];
    for (const member of this.#members) {
      const decision = member.authorize(attributes);
      if (decision.allowed) return decision;
      if (decision.reason !== "") reasons.push(decision.reason);
    }
    return { allowed: false, reason: reasons.join(", ") };
  }

  rulesFor(user: UserInfo, namespace: string): SubjectRules {
    if (user.groups.includes(MASTERS)) return everything;
    const answers = this.#members.map((member) => member.rulesFor?.(user, namespace));
    return {
      resourceRules: answers.flatMap((answer) => answer?.resourceRules ?? []),
      nonResourceRules: answers.flatMap((answer) => answer?.nonResourceRules ?? []),
      incomplete: answers.some((answer) => answer === undefined || answer.incomplete),
    };
  }
}

const everything: SubjectRules = {
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  incomplete: false,
};
