// The user that the claims of a verified token name, as a JWTAuthenticator maps them, and whether its rules let him in.
// @see kubernetes `apiserver/plugin/pkg/authenticator/token/oidc/oidc.go`
import type { JWTPayload } from "jose";
import type { UserInfo } from "../../api/index.ts";
import { CelEvaluationError } from "../../machinery/cel/index.ts";
import { withAuthenticated } from "./authenticator.ts";
import type { CompiledExpression, CompiledRule } from "./jwt-expressions.ts";
import { InvalidTokenError } from "./token-chain.ts";

/** A claim as it stands, with a prefix. */
export interface ClaimMapping {
  readonly claim: string;
  readonly prefix?: string;
}

export interface JwtClaims {
  readonly claimValidationRules?: readonly (CompiledRule | { readonly claim: string; readonly requiredValue: string })[];
  readonly claimMappings: {
    readonly username: ClaimMapping | CompiledExpression;
    readonly groups?: ClaimMapping | CompiledExpression;
    readonly uid?: { readonly claim: string } | CompiledExpression;
    readonly extra?: readonly (CompiledExpression & { readonly key: string })[];
  };
  readonly userValidationRules?: readonly CompiledRule[];
}

/** Throws InvalidTokenError when the claims do not do. */
export function userOf({ claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtClaims, claims: JWTPayload): UserInfo {
  const { username, groups, uid, extra = [] } = claimMappings;
  const id = uid === undefined ? "" : uidOf(uid, claims);
  const more = extraOf(extra, claims);
  const user = {
    name: nameOf(username, claims),
    groups: groups === undefined ? [] : groupsOf(groups, claims),
    ...(id === "" ? {} : { uid: id }),
    ...(Object.keys(more).length === 0 ? {} : { extra: more }),
  };
  for (const rule of claimValidationRules) {
    if ("program" in rule) checkRule(rule, { claims }, "claim validation expression");
    else checkClaim(rule, claims);
  }
  const { name, ...shown } = user;
  const variables = { user: { uid: "", extra: {}, ...shown, username: name } };
  for (const rule of userValidationRules) checkRule(rule, variables, "user info validation rule");
  return { ...user, groups: withAuthenticated(user.groups) };
}

function nameOf(mapping: ClaimMapping | CompiledExpression, claims: JWTPayload): string {
  if ("program" in mapping) {
    const name = evaluated(mapping, { claims }, "username claim expression");
    if (typeof name !== "string") throw failed("username claim expression", "username claim expression must return a string");
    if (name === "") throw new InvalidTokenError("oidc: empty username via CEL expression is not allowed");
    return name;
  }
  const { claim, prefix = "" } = mapping;
  const name = claims[claim];
  if (typeof name !== "string" || name === "") throw new InvalidTokenError(`oidc: parse username claims "${claim}": claim not present`);
  if (claim === "email" && claims["email_verified"] !== undefined && claims["email_verified"] !== true) {
    throw new InvalidTokenError("oidc: email not verified");
  }
  return `${prefix}${name}`;
}

function groupsOf(mapping: ClaimMapping | CompiledExpression, claims: JWTPayload): string[] {
  if ("program" in mapping) {
    return textsOf(evaluated(mapping, { claims }, "group claim expression"), "group claim expression");
  }
  const { claim, prefix = "" } = mapping;
  const value = claims[claim];
  if (value === undefined) return [];
  const list = typeof value === "string" ? [value] : value;
  if (!isTexts(list)) throw new InvalidTokenError(`oidc: parse groups claim "${claim}": must be a string or a list of strings`);
  return list.map((group) => `${prefix}${group}`);
}

function uidOf(mapping: { readonly claim: string } | CompiledExpression, claims: JWTPayload): string {
  if ("program" in mapping) {
    const uid = evaluated(mapping, { claims }, "uid claim expression");
    if (typeof uid !== "string") throw failed("uid claim expression", "uid claim expression must return a string");
    return uid;
  }
  const uid = claims[mapping.claim];
  if (typeof uid !== "string") throw new InvalidTokenError(`oidc: parse uid claim "${mapping.claim}": claim not present`);
  return uid;
}

function extraOf(mappings: readonly (CompiledExpression & { readonly key: string })[], claims: JWTPayload): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  if (typeof claims.jti === "string") extra["authentication.kubernetes.io/credential-id"] = [`JTI=${claims.jti}`];
  for (const mapping of mappings) {
    const what = `extra claim expression: ${mapping.expression}`;
    const values = textsOf(evaluated(mapping, { claims }, what), what);
    if (values.length > 0) extra[mapping.key] = values;
  }
  return extra;
}

/** A text or several; none for null, and empty ones do not count. */
function textsOf(value: unknown, what: string): string[] {
  const list = value === null ? [] : typeof value === "string" ? [value] : value;
  if (!isTexts(list)) throw failed(what, "expression must return a string or a list of strings");
  return list.filter((text) => text !== "");
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function checkClaim({ claim, requiredValue }: { readonly claim: string; readonly requiredValue: string }, claims: JWTPayload): void {
  const value = claims[claim];
  if (value === undefined) throw new InvalidTokenError(`oidc: required claim ${claim} not present in ID token`);
  if (value === requiredValue) return;
  throw new InvalidTokenError(`oidc: required claim ${claim} value does not match. Got = ${String(value)}, want = ${requiredValue}`);
}

function checkRule(rule: CompiledRule, variables: Readonly<Record<string, unknown>>, what: string): void {
  if (evaluated(rule, variables, what) === true) return;
  throw failed(what, `validation expression '${rule.expression}' failed: ${rule.message}`);
}

function evaluated({ program, expression }: CompiledExpression, variables: Readonly<Record<string, unknown>>, what: string): unknown {
  try {
    return program.evaluate(variables);
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    throw failed(what, `expression '${expression}' resulted in error: ${error.message}`);
  }
}

function failed(what: string, why: string): InvalidTokenError {
  return new InvalidTokenError(`oidc: error evaluating ${what}: ${why}`);
}
