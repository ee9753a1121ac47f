// What is wrong with a policy's expressions for the kinds that it names: status.typeChecking. Nothing is refused for it.
// @see kubernetes `apiserver/pkg/admission/plugin/policy/validating/typechecking.go`
import { CelCompileError, type CelType } from "../../machinery/cel/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ExpressionWarning, ValidatingAdmissionPolicy } from "../types/admissionregistration/v1.ts";
import type { CustomResourceDefinition } from "../types/apiextensions/v1.ts";
import { apiVersionOf, builtInKinds, type CheckedKind, customKinds } from "./checked-kinds.ts";
import { type PolicyScope, policyEnvironment } from "./expressions.ts";

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;

/** More kinds than these are not checked. */
const MAX_KINDS = 10;

/** A warning for each expression that does not fit one of the kinds; custom kinds are those of `definitions`. */
export function expressionWarnings(policy: Policy, definitions: readonly DeepReadonly<CustomResourceDefinition>[]): ExpressionWarning[] {
  const known = [...builtInKinds, ...customKinds(definitions)];
  const kinds = kindsOf(policy, known);
  const { paramKind } = policy.spec ?? {};
  const params = known.find((kind) => kind.kind === paramKind?.kind && apiVersionOf(kind) === paramKind.apiVersion)?.celType() ?? "dyn";
  const expressions = (policy.spec?.validations ?? []).flatMap(({ expression, messageExpression = "" }, i) => [
    { fieldRef: `spec.validations[${i}].expression`, expression, hasAuthorizer: true },
    ...(messageExpression === ""
      ? []
      : [{ fieldRef: `spec.validations[${i}].messageExpression`, expression: messageExpression, hasAuthorizer: false }]),
  ]);
  return expressions.flatMap(({ fieldRef, expression, hasAuthorizer }) => {
    const problems = kinds.flatMap((kind) => problemWith(policy, kind, { expression, hasAuthorizer, params }));
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join("\n") }];
  });
}

function problemWith(
  policy: Policy,
  kind: CheckedKind,
  { expression, hasAuthorizer, params }: { readonly expression: string; readonly hasAuthorizer: boolean; readonly params: CelType },
): string[] {
  const hasParams = policy.spec?.paramKind !== undefined;
  const types = { object: kind.celType(), params };
  try {
    const variables = variableTypes(policy, { hasParams, types });
    policyEnvironment({ hasParams, hasAuthorizer, variables, types }).compile(expression);
    return [];
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return [`${apiVersionOf(kind)}, Kind=${kind.kind}: ${error.message.replace(/^compilation failed: /, "")}`];
  }
}

/** A variable that does not fit is of no known type: its own problem is no other expression's. */
function variableTypes({ spec }: Policy, scope: PolicyScope): ReadonlyMap<string, CelType> {
  const variables = new Map<string, CelType>();
  for (const { name, expression } of spec?.variables ?? []) {
    try {
      variables.set(name, policyEnvironment({ ...scope, variables }).compile(expression).type);
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      variables.set(name, "dyn");
    }
  }
  return variables;
}

/** The kinds that the policy names outright; what it means by a star is not known before a request comes. */
function kindsOf({ spec }: Policy, known: readonly CheckedKind[]): readonly CheckedKind[] {
  const rules = spec?.matchConstraints?.resourceRules ?? [];
  const isNamed = ({ group, version, resource }: CheckedKind) =>
    rules.some(
      ({ apiGroups = [], apiVersions = [], resources = [] }) =>
        apiGroups.includes(group) && apiVersions.includes(version) && resources.includes(resource),
    );
  return known.filter(isNamed).slice(0, MAX_KINDS);
}
