// `authorizer` in admission expressions: builds up a question step by step and asks it with `check`.
import { type Overload, overload } from "../functions.ts";
import type { CelOpaqueType } from "../types.ts";
import { CelHostObject } from "../values.ts";

/** The question that an expression has put together. */
export interface AuthorizerQuestion {
  /** Empty: the user of the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly path?: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  readonly verb: string;
}

/** The answer. */
export interface AuthorizerAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  /** Why no answer could be found. */
  readonly error?: string;
}

/** Whom `authorizer` asks. */
export type AskAuthorizer = (question: AuthorizerQuestion) => AuthorizerAnswer;

/** The type to declare the variable `authorizer` with; `authorizer.requestResource` has `resourceCheckType`. */
export const authorizerType: CelOpaqueType = { kind: "opaque", name: "kubernetes.authorization.Authorizer", parameters: [] };
/** The type of a question about a resource. */
export const resourceCheckType: CelOpaqueType = { kind: "opaque", name: "kubernetes.authorization.ResourceCheck", parameters: [] };

const emptyQuestion: AuthorizerQuestion = { group: "", resource: "", subresource: "", namespace: "", name: "", verb: "" };

/** A question under way, of one of the types that upstream has for its stages. */
class AuthorizerStage extends CelHostObject {
  readonly celType: string;
  readonly ask: AskAuthorizer;
  readonly question: AuthorizerQuestion;

  constructor(stage: string, ask: AskAuthorizer, question: AuthorizerQuestion) {
    super();
    this.celType = `kubernetes.authorization.${stage}`;
    this.ask = ask;
    this.question = question;
  }

  with(stage: string, change: Partial<AuthorizerQuestion>): AuthorizerStage {
    return new AuthorizerStage(stage, this.ask, { ...this.question, ...change });
  }
}

class AuthorizerDecision extends CelHostObject {
  readonly celType = "kubernetes.authorization.Decision";
  readonly answer: AuthorizerAnswer;

  constructor(answer: AuthorizerAnswer) {
    super();
    this.answer = answer;
  }
}

/** The value of the variable `authorizer`. */
export function celAuthorizer(ask: AskAuthorizer): CelHostObject {
  return new AuthorizerStage("Authorizer", ask, emptyQuestion);
}

/** The value of `authorizer.requestResource`: a question about the resource of the request. */
export function celResourceCheck(ask: AskAuthorizer, about: Partial<AuthorizerQuestion>): CelHostObject {
  return new AuthorizerStage("ResourceCheck", ask, { ...emptyQuestion, ...about });
}

/** Upstream's cost of asking. */
const checkCost = () => 350_000;
const prefix = "kubernetes.authorization.";
const check = (stage: AuthorizerStage, verb: string) => new AuthorizerDecision(stage.ask({ ...stage.question, verb }));
const setting = (name: keyof AuthorizerQuestion) =>
  overload(`${prefix}ResourceCheck.${name}(string) -> ${prefix}ResourceCheck`, (stage: AuthorizerStage, value: string) =>
    stage.with("ResourceCheck", { [name]: value }),
  );

/** The functions of authorisers. */
export const authorizerFunctions: readonly Overload[] = [
  overload(`${prefix}Authorizer.path(string) -> ${prefix}PathCheck`, (stage: AuthorizerStage, path: string) =>
    stage.with("PathCheck", { path }),
  ),
  overload(`${prefix}Authorizer.group(string) -> ${prefix}GroupCheck`, (stage: AuthorizerStage, group: string) =>
    stage.with("GroupCheck", { group }),
  ),
  overload(
    `${prefix}Authorizer.serviceAccount(string, string) -> ${prefix}Authorizer`,
    (stage: AuthorizerStage, namespace: string, name: string) => stage.with("Authorizer", { serviceAccount: { namespace, name } }),
  ),
  overload(`${prefix}GroupCheck.resource(string) -> ${prefix}ResourceCheck`, (stage: AuthorizerStage, resource: string) =>
    stage.with("ResourceCheck", { resource }),
  ),
  ...(["subresource", "namespace", "name", "fieldSelector", "labelSelector"] as const).map(setting),
  overload(`${prefix}PathCheck.check(string) -> ${prefix}Decision`, check, checkCost),
  overload(`${prefix}ResourceCheck.check(string) -> ${prefix}Decision`, check, checkCost),
  overload(`${prefix}Decision.allowed() -> bool`, ({ answer }: AuthorizerDecision) => answer.allowed),
  overload(`${prefix}Decision.reason() -> string`, ({ answer }: AuthorizerDecision) => answer.reason),
  overload(`${prefix}Decision.errored() -> bool`, ({ answer }: AuthorizerDecision) => answer.error !== undefined),
  overload(`${prefix}Decision.error() -> string`, ({ answer }: AuthorizerDecision) => answer.error ?? ""),
];
