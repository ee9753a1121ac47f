// The first authorizer that allows or denies decides; members of system:masters may do everything.
import type { UserInfo } from "../../api/index.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";

const master: Decision = { allowed: true, reason: "" };
const MASTERS = "system:masters";

export class UnionAuthorizer implements Authorizer {
  #members: readonly Authorizer[];

  constructor(members: readonly Authorizer[]) {
    this.#members = members;
  }

  /** Asks these from now on; a decision under way is left to those that it was asked of. */
  setMembers(members: readonly Authorizer[]): void {
    this.#members = members;
  }

  /** A promise only when a member takes time that has to be asked. */
  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    if (attributes.user.groups.includes(MASTERS)) return master;
    return askFrom(this.#members, attributes, []);
  }

  rulesFor(user: UserInfo, namespace: string): SubjectRules {
    if (user.groups.includes(MASTERS)) return everything;
    const answers = this.#members.map((member) => member.rulesFor?.(user, namespace));
    const errors = answers.flatMap((answer) => answer?.evaluationError ?? []);
    return {
      resourceRules: answers.flatMap((answer) => answer?.resourceRules ?? []),
      nonResourceRules: answers.flatMap((answer) => answer?.nonResourceRules ?? []),
      incomplete: answers.some((answer) => answer === undefined || answer.incomplete),
      ...(errors.length === 0 ? {} : { evaluationError: aggregated(errors) }),
    };
  }
}

/** `seen` are the decisions of the members before. */
function askFrom(members: readonly Authorizer[], attributes: AuthorizationAttributes, seen: Decision[]): Decision | Promise<Decision> {
  for (const [index, member] of members.entries()) {
    const decision = member.authorize(attributes);
    if (decision instanceof Promise) {
      return decision.then((late) => (isFinal(late) ? late : askFrom(members.slice(index + 1), attributes, [...seen, late])));
    }
    if (isFinal(decision)) return decision;
    seen.push(decision);
  }
  return noOpinion(seen);
}

function isFinal({ allowed, denied }: Decision): boolean {
  return allowed || denied === true;
}

function noOpinion(seen: readonly Decision[]): Decision {
  const reasons = seen.flatMap(({ reason }) => (reason === "" ? [] : reason));
  const errors = seen.flatMap(({ error }) => error ?? []);
  return { allowed: false, reason: reasons.join("\n"), ...(errors.length === 0 ? {} : { error: aggregated(errors) }) };
}

/** Several errors in one text. */
export function aggregated(errors: readonly string[]): string {
  return errors.length === 1 ? errors.join() : `[${errors.join(", ")}]`;
}

const everything: SubjectRules = {
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  incomplete: false,
};
