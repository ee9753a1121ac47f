// What is wrong with a policy's expressions for the kinds that it names: status.typeChecking. Nothing is refused for it.
// Only built-in kinds are known here.
// @see kubernetes `apiserver/pkg/admission/plugin/policy/validating/typechecking.go`
import { CelCompileError, type CelType } from "../../machinery/cel/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type ResourceRow, resourceRows, typeFacts } from "../schema/table.ts";
import type { ExpressionWarning, ParamKind, ValidatingAdmissionPolicy } from "../types/admissionregistration/v1.ts";
import { type PolicyScope, policyEnvironment } from "./expressions.ts";
import { celObjectTypeOf } from "./typed-objects.ts";

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;

/** More kinds than these are not checked. */
const MAX_KINDS = 10;

/** A warning for each expression that does not fit one of the kinds. */
export function expressionWarnings(policy: Policy): ExpressionWarning[] {
  const kinds = kindsOf(policy);
  const expressions = (policy.spec?.validations ?? []).flatMap(({ expression, messageExpression = "" }, i) => [
    { fieldRef: `spec.validations[${i}].expression`, expression, hasAuthorizer: true },
    ...(messageExpression === ""
      ? []
      : [{ fieldRef: `spec.validations[${i}].messageExpression`, expression: messageExpression, hasAuthorizer: false }]),
  ]);
  return expressions.flatMap(({ fieldRef, expression, hasAuthorizer }) => {
    const problems = kinds.flatMap((kind) => problemWith(policy, kind, { expression, hasAuthorizer }));
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join("\n") }];
  });
}

function problemWith(
  policy: Policy,
  row: ResourceRow,
  { expression, hasAuthorizer }: { readonly expression: string; readonly hasAuthorizer: boolean },
): string[] {
  const { paramKind } = policy.spec ?? {};
  const hasParams = paramKind !== undefined;
  const types = { object: celObjectTypeOf(typeFacts(row.type)), params: paramType(paramKind) };
  try {
    const variables = variableTypes(policy, { hasParams, types });
    policyEnvironment({ hasParams, hasAuthorizer, variables, types }).compile(expression);
    return [];
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    const version = row.group === "" ? row.version : `${row.group}/${row.version}`;
    return [`${version}, Kind=${row.kind}: ${error.message.replace(/^compilation failed: /, "")}`];
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

function paramType(kind: DeepReadonly<ParamKind> | undefined): CelType {
  const row = resourceRows.find(
    (candidate) =>
      candidate.kind === kind?.kind &&
      (candidate.group === "" ? candidate.version : `${candidate.group}/${candidate.version}`) === kind?.apiVersion,
  );
  return row === undefined ? "dyn" : celObjectTypeOf(typeFacts(row.type));
}

/** The kinds that the policy names outright; what it means by a star is not known before a request comes. */
function kindsOf({ spec }: Policy): readonly ResourceRow[] {
  const rules = spec?.matchConstraints?.resourceRules ?? [];
  const isNamed = ({ group, version, resource }: ResourceRow) =>
    rules.some(
      ({ apiGroups = [], apiVersions = [], resources = [] }) =>
        apiGroups.includes(group) && apiVersions.includes(version) && resources.includes(resource),
    );
  return resourceRows.filter(isNamed).slice(0, MAX_KINDS);
}
