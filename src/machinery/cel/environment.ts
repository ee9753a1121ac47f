// The door to CEL: an environment of variables and Kubernetes' functions compiles expressions to programs.
import { Budget } from "./budget.ts";
import { type CheckedExpr, check, type Declarations } from "./checker.ts";
import { type CelBound, estimateCost } from "./cost-estimator.ts";
import { compileExpr, type Evaluation, type Frame } from "./evaluator.ts";
import { FunctionTable } from "./functions.ts";
import { authorizerFunctions } from "./library/authorizer.ts";
import { kubernetesFunctions } from "./library/index.ts";
import { jsonPatchFunctions } from "./library/json-patch.ts";
import { parse } from "./parser.ts";
import type { CelObjectType, CelType } from "./types.ts";
import { formatType } from "./types.ts";
import { fromJson, toJson } from "./values.ts";

/** What expressions of an environment may use. */
export interface CelEnvironmentOptions {
  readonly variables: Readonly<Record<string, CelType>>;
  /** Object types that expressions can build: `Object{spec: Object.spec{…}}`; a function finds them by name. */
  readonly structs?: readonly CelObjectType[] | ((name: string) => CelObjectType | undefined);
  /** Whether the functions of `authorizer` exist; the variable is declared apart, with `authorizerType`. */
  readonly authorizer?: boolean;
  /** Whether the functions for making JSON patches exist. */
  readonly jsonPatch?: boolean;
}

/** Bounds of one evaluation. */
export interface EvaluateOptions {
  /** In upstream's cost units; upstream allows 1000000 for one expression. */
  readonly costLimit?: number;
}

/** A compiled expression. */
export interface CelProgram {
  /** The type of the result as cel-go prints it: `bool`, `list(string)`, `dyn`. */
  readonly resultType: string;
  /** The same as a type, to declare a variable that holds the result. */
  readonly type: CelType;
  /** Whether the expression reads the variable. */
  uses(variable: string): boolean;
  /** Whether the expression selects this field of the variable. */
  selects(variable: string, field: string): boolean;
  /** What an evaluation costs at most, for variables that are not larger than this. */
  maxCost(bounds: Readonly<Record<string, CelBound>>): number;
  /**
   * The value for these variables: JSON data in (getters are read when the expression asks for them), plain values out.
   * Throws CelEvaluationError.
   */
  evaluate(variables: Readonly<Record<string, unknown>>, options?: EvaluateOptions): unknown;
  /** As `evaluate`, with what it cost. */
  measure(variables: Readonly<Record<string, unknown>>, options?: EvaluateOptions): { value: unknown; cost: number };
}

/** Upstream's limit for one expression. */
const perCallCostLimit = 1_000_000;

const plainFunctions = new FunctionTable(kubernetesFunctions);

/** Compiles expressions over declared variables with the functions that Kubernetes adds to CEL. */
export class CelEnvironment {
  readonly #declarations: Declarations;

  constructor({ variables, structs = [], authorizer = false, jsonPatch = false }: CelEnvironmentOptions) {
    const more = [...(authorizer ? authorizerFunctions : []), ...(jsonPatch ? jsonPatchFunctions : [])];
    this.#declarations = {
      variables: new Map(Object.entries(variables)),
      functions: more.length === 0 ? plainFunctions : new FunctionTable([...kubernetesFunctions, ...more]),
      structs: typeof structs === "function" ? { get: structs } : new Map(structs.map((type) => [type.name, type])),
    };
  }

  /** Throws CelCompileError. */
  compile(expression: string): CelProgram {
    const checked = check(expression, parse(expression), this.#declarations);
    return new CompiledProgram(compileExpr(checked), checked, this.#declarations.variables);
  }
}

class CompiledProgram implements CelProgram {
  readonly type: CelType;
  readonly #evaluation: Evaluation;
  readonly #checked: CheckedExpr;
  readonly #declared: ReadonlyMap<string, CelType>;

  constructor(evaluation: Evaluation, checked: CheckedExpr, declared: ReadonlyMap<string, CelType>) {
    this.#evaluation = evaluation;
    this.#checked = checked;
    this.type = checked.type;
    this.#declared = declared;
  }

  get resultType(): string {
    return formatType(this.type);
  }

  uses(variable: string): boolean {
    return this.#checked.variables.has(variable);
  }

  selects(variable: string, field: string): boolean {
    return this.#checked.selections.has(`${variable}.${field}`);
  }

  maxCost(bounds: Readonly<Record<string, CelBound>>): number {
    return estimateCost(this.#checked, bounds).max;
  }

  evaluate(variables: Readonly<Record<string, unknown>>, options?: EvaluateOptions): unknown {
    return this.measure(variables, options).value;
  }

  measure(variables: Readonly<Record<string, unknown>>, options: EvaluateOptions = {}): { value: unknown; cost: number } {
    const budget = new Budget(options.costLimit ?? perCallCostLimit);
    const variable = (name: string) =>
      this.#declared.has(name) ? fromJson(variables[name], this.#declared.get(name) ?? "dyn") : undefined;
    const frame: Frame = { variable, locals: [], budget };
    return { value: toJson(this.#evaluation(frame)), cost: budget.spent };
  }
}
