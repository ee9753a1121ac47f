// The part of a JWTAuthenticator that is about claims: which make the user, and which rules claims and user must pass.
import { type FieldError, field, isDns1123Subdomain } from "../../machinery/index.ts";
import { type CompiledExpression, type CompiledRule, compileJwtExpression } from "./jwt-expressions.ts";
import type { ClaimMapping, JwtClaims } from "./jwt-user.ts";

export interface ClaimRuleDocument {
  readonly claim?: string;
  readonly requiredValue?: string;
  readonly expression?: string;
  readonly message?: string;
}

export interface UserRuleDocument {
  readonly expression?: string;
  readonly message?: string;
}

interface ClaimOrExpression {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

export interface ClaimMappingsDocument {
  readonly username?: ClaimOrExpression;
  readonly groups?: ClaimOrExpression;
  readonly uid?: ClaimOrExpression;
  readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
}

interface ClaimsDocument {
  readonly claimValidationRules?: readonly ClaimRuleDocument[];
  readonly claimMappings?: ClaimMappingsDocument;
  readonly userValidationRules?: readonly UserRuleDocument[];
}

const CLAIMS = { over: "claims", isRule: false } as const;
const bothSet = "claim and expression can't both be set";

/** Compiles the expressions; what is wrong is pushed to `errors`, and then the result is not to be used. */
export function checkClaims(errors: FieldError[], path: string, document: ClaimsDocument): JwtClaims {
  const { claimValidationRules = [], claimMappings = {}, userValidationRules = [] } = document;
  const rules = claimValidationRules.flatMap((rule, index) =>
    claimRule(errors, `${path}.claimValidationRules[${index}]`, rule, claimValidationRules.slice(0, index)),
  );
  const mappings = mappingsOf(errors, `${path}.claimMappings`, claimMappings, rules);
  const userRules = userValidationRules.flatMap((rule, index) =>
    userRule(errors, `${path}.userValidationRules[${index}].expression`, rule, userValidationRules.slice(0, index)),
  );
  return {
    claimValidationRules: rules,
    claimMappings: mappings,
    ...(userRules.length === 0 ? {} : { userValidationRules: userRules }),
  };
}

type ClaimRule = NonNullable<JwtClaims["claimValidationRules"]>[number];

function claimRule(errors: FieldError[], path: string, rule: ClaimRuleDocument, before: readonly ClaimRuleDocument[]): ClaimRule[] {
  const { claim = "", requiredValue = "", expression = "", message = "" } = rule;
  if (claim !== "" && expression !== "") errors.push(field.invalid(path, claim, bothSet));
  else if (claim !== "") {
    if (message !== "") errors.push(field.invalid(`${path}.message`, message, "may not be specified when claim is set"));
    if (before.some((other) => other.claim === claim)) errors.push(field.duplicate(`${path}.claim`, claim));
    return [{ claim, requiredValue }];
  } else if (expression === "") errors.push(field.required(path, "claim or expression is required"));
  else if (before.some((other) => other.expression === expression)) errors.push(field.duplicate(`${path}.expression`, expression));
  else {
    if (requiredValue !== "") {
      errors.push(field.invalid(`${path}.requiredValue`, requiredValue, "may not be specified when expression is set"));
    }
    const compiled = compileJwtExpression(errors, `${path}.expression`, expression, { over: "claims", isRule: true });
    return compiled === undefined ? [] : [{ ...compiled, message }];
  }
  return [];
}

function userRule(errors: FieldError[], path: string, rule: UserRuleDocument, before: readonly UserRuleDocument[]): CompiledRule[] {
  const { expression = "", message = "" } = rule;
  if (expression === "") errors.push(field.required(path));
  else if (before.some((other) => other.expression === expression)) errors.push(field.duplicate(path, expression));
  else {
    const compiled = compileJwtExpression(errors, path, expression, { over: "user", isRule: true });
    return compiled === undefined ? [] : [{ ...compiled, message }];
  }
  return [];
}

function mappingsOf(
  errors: FieldError[],
  path: string,
  { username = {}, groups = {}, uid = {}, extra = [] }: ClaimMappingsDocument,
  rules: readonly ClaimRule[],
): JwtClaims["claimMappings"] {
  if ((username.claim ?? "") === "" && (username.expression ?? "") === "") {
    errors.push(field.required(`${path}.username`, "claim or expression is required"));
  }
  const name = prefixed(errors, `${path}.username`, username) ?? { claim: "" };
  const group = prefixed(errors, `${path}.groups`, groups);
  const id = unprefixed(errors, `${path}.uid`, uid);
  const more = extra.flatMap(({ key = "", valueExpression = "" }, index) => {
    const entry = `${path}.extra[${index}]`;
    checkKey(errors, `${entry}.key`, key);
    const isTwice = extra.slice(0, index).some((other) => other.key === key);
    if (isTwice) errors.push(field.duplicate(`${entry}.key`, key));
    else if (valueExpression === "") errors.push(field.required(`${entry}.valueExpression`));
    else {
      const compiled = compileJwtExpression(errors, `${entry}.valueExpression`, valueExpression, CLAIMS);
      return compiled === undefined ? [] : [{ ...compiled, key }];
    }
    return [];
  });
  checkEmail(errors, `${path}.username.expression`, name, [...more, ...rules]);
  return {
    username: name,
    ...(group === undefined ? {} : { groups: group }),
    ...(id === undefined ? {} : { uid: id }),
    ...(more.length === 0 ? {} : { extra: more }),
  };
}

/** The prefix must be told, even if it is none: forgetting it would let an issuer name the server's own users. */
function prefixed(errors: FieldError[], path: string, given: ClaimOrExpression): ClaimMapping | CompiledExpression | undefined {
  const { claim = "", prefix, expression = "" } = given;
  if (claim !== "" && expression !== "") errors.push(field.invalid(path, "", bothSet));
  else if (expression !== "") {
    if (prefix !== undefined) errors.push(field.invalid(`${path}.prefix`, prefix, "may not be specified when expression is set"));
    return compileJwtExpression(errors, `${path}.expression`, expression, CLAIMS);
  } else if (claim !== "") {
    if (prefix !== undefined) return { claim, prefix };
    const why = "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
    errors.push(field.required(`${path}.prefix`, why));
  }
  return undefined;
}

function unprefixed(
  errors: FieldError[],
  path: string,
  { claim = "", expression = "" }: ClaimOrExpression,
): { readonly claim: string } | CompiledExpression | undefined {
  if (claim !== "" && expression !== "") errors.push(field.invalid(path, "", bothSet));
  else if (expression !== "") return compileJwtExpression(errors, `${path}.expression`, expression, CLAIMS);
  else if (claim !== "") return { claim };
  return undefined;
}

/** Who takes an email for a name must look whether it is verified. */
function checkEmail(
  errors: FieldError[],
  path: string,
  username: ClaimMapping | CompiledExpression,
  others: readonly (ClaimRule | CompiledExpression)[],
): void {
  if (!("program" in username) || !username.program.selects("claims", "email")) return;
  if ([username, ...others].some((one) => "program" in one && one.program.selects("claims", "email_verified"))) return;
  const places = "claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression";
  const why = `claims.email_verified must be used in ${places} when claims.email is used in claimMappings.username.expression`;
  errors.push(field.invalid(path, username.expression, why));
}

function checkKey(errors: FieldError[], path: string, key: string): void {
  const [, domain = "", rest = ""] = /^([^/]*)\/(.*)$/s.exec(key) ?? [];
  if (key === "") errors.push(field.required(path));
  else if (domain === "" || rest === "") {
    errors.push(field.invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else for (const problem of isDns1123Subdomain(domain)) errors.push(field.invalid(path, domain, problem));
  if (key !== key.toLowerCase()) errors.push(field.invalid(path, key, "must be lowercase"));
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) {
    errors.push(field.invalid(path, key, "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"));
  }
}
