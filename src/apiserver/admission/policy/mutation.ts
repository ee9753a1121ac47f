// What a MutatingAdmissionPolicy makes of an object: configurations that are merged into it and JSON patches, in their order.
import { applyConfigurationResult, compileTo, jsonPatchResult } from "../../../api/index.ts";
import type { MutatingAdmissionPolicy, Mutation } from "../../../api/types/admissionregistration/v1.ts";
import { CelEvaluationError, type CelProgram } from "../../../machinery/cel/index.ts";
import { applyJsonPatch, type DeepReadonly, mergeConfiguration, PatchError, type TypeFacts } from "../../../machinery/index.ts";
import type { Draft } from "../../registry/draft.ts";
import { type CompiledParts, compileParts } from "./compiled-policy.ts";
import type { CostBudget } from "./cost-budget.ts";
import { PolicyError } from "./policy-error.ts";

interface CompiledMutation {
  readonly program: CelProgram;
  readonly expression: string;
  readonly isPatch: boolean;
}

export interface CompiledMutatingPolicy extends CompiledParts {
  readonly mutations: readonly CompiledMutation[];
}

export function compileMutatingPolicy({ spec = {} }: DeepReadonly<MutatingAdmissionPolicy>): CompiledMutatingPolicy {
  const parts = compileParts(spec);
  const environment = parts.environment({ isMutation: true });
  const compile = ({ patchType, applyConfiguration, jsonPatch }: DeepReadonly<Mutation>): CompiledMutation => {
    const isPatch = patchType === "JSONPatch";
    const expression = (isPatch ? jsonPatch?.expression : applyConfiguration?.expression) ?? "";
    return { program: compileTo(environment, expression, isPatch ? jsonPatchResult : applyConfigurationResult), expression, isPatch };
  };
  return { ...parts, mutations: (spec.mutations ?? []).map(compile) };
}

/** `object`, whose type has `facts`, as the mutation wants it. Throws PolicyError. */
export function mutated(
  object: Draft,
  { program, expression, isPatch }: CompiledMutation,
  {
    variables,
    budget,
    facts,
  }: {
    readonly variables: Readonly<Record<string, unknown>>;
    readonly budget: CostBudget;
    readonly facts: TypeFacts | undefined;
  },
): Draft {
  try {
    const result = budget.evaluate(program, variables);
    return (isPatch ? patched(object, result) : merged(object, result, facts)) as Draft;
  } catch (error) {
    if (error instanceof CelEvaluationError) throw new PolicyError(`expression '${expression}' resulted in error: ${error.message}`);
    if (error instanceof PatchError) throw new PolicyError(`${isPatch ? "JSONPath" : "error applying patch"}: ${error.message}`);
    throw error;
  }
}

function merged(object: Draft, configuration: unknown, facts: TypeFacts | undefined): unknown {
  const { kind, apiVersion } = object;
  return mergeConfiguration(object as unknown as Record<string, unknown>, { ...(configuration as object), kind, apiVersion }, facts);
}

/** A `test` that fails leaves the object as it is. */
function patched(object: Draft, operations: unknown): unknown {
  const list = operations as readonly Readonly<Record<string, unknown>>[];
  try {
    return applyJsonPatch(object, list);
  } catch (error) {
    if (error instanceof PatchError && error.message.endsWith(": test failed")) return object;
    throw error;
  }
}
