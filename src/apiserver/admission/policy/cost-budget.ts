// How much the expressions of one policy may cost together, for one request.
import { CelCostError, CelEvaluationError, type CelProgram } from "../../../machinery/cel/index.ts";

/** Upstream's limits: of one expression, and of all. */
const PER_EXPRESSION = 1_000_000;
const PER_POLICY = 10_000_000;

export class CostBudget {
  #left = PER_POLICY;

  /** Throws CelEvaluationError. */
  evaluate(program: CelProgram, variables: Readonly<Record<string, unknown>>): unknown {
    const costLimit = Math.min(PER_EXPRESSION, this.#left);
    try {
      const { value, cost } = program.measure(variables, { costLimit });
      this.#left -= cost;
      return value;
    } catch (error) {
      if (error instanceof CelCostError && costLimit < PER_EXPRESSION) {
        throw new CelEvaluationError("validation failed due to running out of cost budget, no further validation rules will be run");
      }
      throw error;
    }
  }
}
