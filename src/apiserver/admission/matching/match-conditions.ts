// matchConditions: expressions that must all be true for a webhook or policy to be asked.
import { CelEvaluationError, type CelProgram } from "../../../machinery/cel/index.ts";

export interface CompiledCondition {
  readonly name: string;
  readonly expression: string;
  readonly program: CelProgram;
}

/** `error` is set when the conditions cannot be judged: some fail, and none is false. */
export interface ConditionResult {
  readonly matches: boolean;
  readonly error?: string;
}

export function evaluateConditions(
  conditions: readonly CompiledCondition[],
  variables: Readonly<Record<string, unknown>>,
): ConditionResult {
  const errors: string[] = [];
  for (const { expression, program } of conditions) {
    try {
      if (program.evaluate(variables) !== true) return { matches: false };
    } catch (error) {
      if (!(error instanceof CelEvaluationError)) throw error;
      errors.push(`expression '${expression}' resulted in error: ${error.message}`);
    }
  }
  if (errors.length === 0) return { matches: true };
  return { matches: false, error: errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]` };
}
