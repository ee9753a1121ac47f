// What is wrong with a policy or binding: its match criteria, parameters, variables and expressions.
import { CelEnvironment, type CelType } from "../../machinery/cel/index.ts";
import { type FieldError, field, isDns1035Label, isQualifiedName, validateLabelSelector } from "../../machinery/index.ts";
import type {
  AuditAnnotation,
  MatchCondition,
  MatchResources,
  Mutation,
  ParamKind,
  ParamRef,
  Validation,
  Variable,
} from "../types/admissionregistration/v1.ts";
import { checkOneOf, checkRequiredOneOf } from "../validation/checks.ts";
import { applyConfigurationResult, checkExpression, jsonPatchResult, policyEnvironment } from "./expressions.ts";
import { checkMatchConditions } from "./match-conditions.ts";
import { validateRules } from "./rules.ts";

const MAX_AUDIT_ANNOTATIONS = 20;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

/** For the expressions behind the variables. */
export interface PolicyEnvironments {
  readonly plain: CelEnvironment;
  readonly messages: CelEnvironment;
  readonly mutations: CelEnvironment;
}

export function checkParamKind(errors: FieldError[], path: string, kind: ParamKind | undefined): void {
  if (kind === undefined) return;
  const { apiVersion = "", kind: name = "" } = kind;
  if (apiVersion === "") errors.push(field.required(`${path}.apiVersion`));
  else if (apiVersion.split("/").length > 2) {
    errors.push(field.invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  if (name === "") errors.push(field.required(`${path}.kind`));
  for (const problem of name === "" ? [] : isDns1035Label(name.toLowerCase())) {
    errors.push(field.invalid(`${path}.kind`, name, `may have mixed case, but should otherwise match: ${problem}`));
  }
}

export function checkParamRef(errors: FieldError[], path: string, ref: ParamRef | undefined): void {
  if (ref === undefined) return;
  const hasName = (ref.name ?? "") !== "";
  if (hasName && ref.selector !== undefined) {
    errors.push(field.forbidden(`${path}.name`, "name and selector are mutually exclusive"));
    errors.push(field.forbidden(`${path}.selector`, "name and selector are mutually exclusive"));
  }
  if (!hasName && ref.selector === undefined) errors.push(field.required(path, "one of name or selector must be specified"));
  checkRequiredOneOf(errors, `${path}.parameterNotFoundAction`, ref.parameterNotFoundAction, ["Deny", "Allow"]);
  errors.push(...validateLabelSelector(ref.selector, `${path}.selector`));
}

/** Policies must say what they are for, bindings may narrow it. */
export function checkMatch(
  errors: FieldError[],
  path: string,
  match: MatchResources | undefined,
  { isPolicy }: { readonly isPolicy: boolean },
): void {
  if (match === undefined) {
    if (isPolicy) errors.push(field.required(path));
    return;
  }
  if (isPolicy && !match.resourceRules?.length) errors.push(field.required(`${path}.resourceRules`));
  checkOneOf(errors, `${path}.matchPolicy`, match.matchPolicy, ["Equivalent", "Exact"]);
  errors.push(...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`));
  errors.push(...validateLabelSelector(match.objectSelector, `${path}.objectSelector`));
  validateRules(errors, `${path}.resourceRules`, match.resourceRules);
  validateRules(errors, `${path}.excludeResourceRules`, match.excludeResourceRules);
}

interface WithExpressions {
  readonly paramKind?: ParamKind | undefined;
  readonly variables?: readonly Variable[] | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
}

/** Checks matchConditions and variables; answers what the policy's other expressions are compiled with. */
export function checkPolicyExpressions(errors: FieldError[], path: string, spec: WithExpressions): PolicyEnvironments {
  const hasParams = spec.paramKind !== undefined;
  checkMatchConditions(errors, `${path}.matchConditions`, spec.matchConditions, policyEnvironment({ hasParams }));
  const variables = checkVariables(errors, `${path}.variables`, spec.variables ?? [], hasParams);
  return {
    plain: policyEnvironment({ hasParams, variables }),
    messages: policyEnvironment({ hasParams, variables, hasAuthorizer: false }),
    mutations: policyEnvironment({ hasParams, variables, isMutation: true }),
  };
}

function checkVariables(
  errors: FieldError[],
  path: string,
  variables: readonly Variable[],
  hasParams: boolean,
): ReadonlyMap<string, CelType> {
  const types = new Map<string, CelType>();
  variables.forEach(({ name, expression }, i) => {
    const environment = policyEnvironment({ hasParams, variables: types });
    const program = checkExpression(errors, `${path}[${i}].expression`, expression, { environment, results: [] });
    if (!name) errors.push(field.required(`${path}[${i}].name`, "name is not specified"));
    else if (!isIdentifier(name)) errors.push(field.invalid(`${path}[${i}].name`, name, "name is not a valid CEL identifier"));
    if (types.has(name)) errors.push(field.duplicate(`${path}[${i}].name`, name));
    types.set(name, program?.type ?? "dyn");
  });
  return types;
}

/** Whether a name can stand alone in an expression: no keyword, no sign in it. */
function isIdentifier(name: string): boolean {
  if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name)) return false;
  try {
    new CelEnvironment({ variables: { [name]: "dyn" } }).compile(name);
    return true;
  } catch {
    return false;
  }
}

export function checkValidations(
  errors: FieldError[],
  path: string,
  validations: readonly Validation[] | undefined,
  { plain, messages }: PolicyEnvironments,
): void {
  validations?.forEach(({ expression, message, messageExpression, reason }, i) => {
    const at = `${path}[${i}]`;
    if (!expression?.trim()) errors.push(field.required(`${at}.expression`, "expression is not specified"));
    else checkExpression(errors, `${at}.expression`, expression, { environment: plain, results: ["bool"] });
    if (messageExpression !== undefined && messageExpression.trim() === "") {
      errors.push(field.invalid(`${at}.messageExpression`, messageExpression, "must be non-empty if specified"));
    } else if (messageExpression !== undefined) {
      checkExpression(errors, `${at}.messageExpression`, messageExpression, { environment: messages, results: ["string"] });
    }
    checkMessage(errors, `${at}.message`, message, expression ?? "");
    checkOneOf(errors, `${at}.reason`, reason, reasons);
  });
}

function checkMessage(errors: FieldError[], path: string, message: string | undefined, expression: string): void {
  const text = message?.trim() ?? "";
  if (message !== undefined && message !== "" && text === "")
    errors.push(field.invalid(path, message, "message must be non-empty if specified"));
  else if (text.includes("\n")) errors.push(field.invalid(path, message, "message must not contain line breaks"));
  else if (text === "" && expression.trim().includes("\n")) {
    errors.push(field.required(path, "message must be specified if expression contains line breaks"));
  }
}

export function checkAuditAnnotations(
  errors: FieldError[],
  path: string,
  annotations: readonly AuditAnnotation[] | undefined,
  { environments, policy }: { readonly environments: PolicyEnvironments; readonly policy: string },
): void {
  if (annotations === undefined) return;
  if (annotations.length > MAX_AUDIT_ANNOTATIONS) {
    errors.push(field.invalid(path, `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`, ""));
  }
  const keys = new Set<string>();
  annotations.forEach(({ key, valueExpression }, i) => {
    const at = `${path}[${i}]`;
    for (const problem of isQualifiedName(`${policy}/${key}`)) errors.push(field.invalid(`${at}.key`, key, problem));
    if (keys.has(key)) errors.push(field.duplicate(`${at}.key`, key));
    keys.add(key);
    if (!valueExpression?.trim()) errors.push(field.required(`${at}.valueExpression`, "valueExpression is not specified"));
    else {
      const results = ["string", "null_type", "dyn"];
      checkExpression(errors, `${at}.valueExpression`, valueExpression, { environment: environments.plain, results });
    }
  });
}

export function checkMutations(
  errors: FieldError[],
  path: string,
  mutations: readonly Mutation[] | undefined,
  { mutations: environment }: PolicyEnvironments,
): void {
  if (!mutations?.length) errors.push(field.required(path, "mutations must contain at least one item"));
  mutations?.forEach(({ patchType, applyConfiguration, jsonPatch }, i) => {
    const at = `${path}[${i}]`;
    checkRequiredOneOf(errors, `${at}.patchType`, patchType, ["ApplyConfiguration", "JSONPatch"]);
    if (patchType === "ApplyConfiguration") {
      if (applyConfiguration === undefined) {
        errors.push(field.required(`${at}.applyConfiguration`, "must be specified when patchType is ApplyConfiguration"));
      } else {
        checkExpression(errors, `${at}.applyConfiguration.expression`, applyConfiguration.expression, {
          environment,
          results: applyConfigurationResult,
        });
      }
    }
    if (patchType === "JSONPatch") {
      if (jsonPatch === undefined) errors.push(field.required(`${at}.jsonPatch`, "must be specified when patchType is JSONPatch"));
      else checkExpression(errors, `${at}.jsonPatch.expression`, jsonPatch.expression, { environment, results: jsonPatchResult });
    }
  });
}
