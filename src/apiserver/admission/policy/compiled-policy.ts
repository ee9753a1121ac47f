// The parts that both kinds of policies have, compiled: variables, matchConditions; and the variables of one evaluation.
import { type PolicyScope, policyEnvironment } from "../../../api/index.ts";
import type { MatchCondition, ParamKind, Variable } from "../../../api/types/admissionregistration/v1.ts";
import { type CelEnvironment, CelEvaluationError, type CelProgram, type CelType } from "../../../machinery/cel/index.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { CompiledCondition } from "../matching/match-conditions.ts";
import type { CostBudget } from "./cost-budget.ts";

export interface PolicyParts {
  readonly paramKind?: DeepReadonly<ParamKind> | undefined;
  readonly variables?: DeepReadonly<Variable[]> | undefined;
  readonly matchConditions?: DeepReadonly<MatchCondition[]> | undefined;
}

/** Programs by name, in their order: each sees those before it. */
export type CompiledVariables = ReadonlyMap<string, CelProgram>;

export interface CompiledParts {
  readonly conditions: readonly CompiledCondition[];
  readonly variables: CompiledVariables;
  /** For the policy's other expressions. */
  environment(scope?: Pick<PolicyScope, "hasAuthorizer" | "isMutation">): CelEnvironment;
}

/** Throws CelCompileError; validation lets nothing in that does not compile. */
export function compileParts({ paramKind, variables = [], matchConditions = [] }: PolicyParts): CompiledParts {
  const hasParams = paramKind !== undefined;
  const programs = new Map<string, CelProgram>();
  const types = new Map<string, CelType>();
  for (const { name, expression } of variables) {
    const program = policyEnvironment({ hasParams, variables: types }).compile(expression);
    programs.set(name, program);
    types.set(name, program.type);
  }
  const forConditions = policyEnvironment({ hasParams });
  const conditions = matchConditions.map(({ name, expression }) => ({ name, expression, program: forConditions.compile(expression) }));
  return { conditions, variables: programs, environment: (scope = {}) => policyEnvironment({ hasParams, variables: types, ...scope }) };
}

/** What the expressions see: `base` with the namespace, the parameter and the policy's own variables, each computed once. */
export function policyVariables(
  base: Readonly<Record<string, unknown>>,
  { params, namespaceObject }: { readonly params: unknown; readonly namespaceObject: unknown },
  { variables, budget }: { readonly variables: CompiledVariables; readonly budget: CostBudget },
): Readonly<Record<string, unknown>> {
  const scope = Object.create(null, Object.getOwnPropertyDescriptors(base)) as Record<string, unknown>;
  const values = new Map<string, unknown>();
  const composed: Record<string, unknown> = {};
  for (const [name, program] of variables) {
    const get = () => {
      if (!values.has(name))
        values.set(
          name,
          composedValue(name, () => budget.evaluate(program, scope)),
        );
      return values.get(name);
    };
    Object.defineProperty(composed, name, { get, enumerable: true });
  }
  return Object.assign(scope, { params, namespaceObject, variables: composed });
}

function composedValue(name: string, evaluate: () => unknown): unknown {
  try {
    return evaluate();
  } catch (cause) {
    if (!(cause instanceof CelEvaluationError)) throw cause;
    throw new CelEvaluationError(`composited variable "${name}" fails to evaluate: ${cause.message}`, { cause });
  }
}
