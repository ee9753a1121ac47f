// Turns a checked expression into a closure. Operators with a short cut and everything that binds names are here; all other
// operators are functions of the library.
import type { Expr, FoldExpr } from "./ast.ts";
import type { Budget } from "./budget.ts";
import { type CheckedExpr, type ResolvedCall, typeNames } from "./checker.ts";
import { CelCostError, CelEvaluationError } from "./errors.ts";
import { evaluateFold } from "./folds.ts";
import { isOfType, type Overload } from "./functions.ts";
import { qualifiedName } from "./parser.ts";
import { CelList, type CelMap, CelOptional, CelTypeValue, isMap, LiteralMap, normalKey, StructValue } from "./values.ts";

/** What an evaluation works with. */
export interface Frame {
  /** A declared variable as CEL value, or undefined. */
  variable(name: string): unknown;
  /** The values of the names that macros bind, the outermost first. */
  readonly locals: unknown[];
  readonly budget: Budget;
}

/** A compiled expression: throws CelEvaluationError when there is no result. */
export type Evaluation = (frame: Frame) => unknown;

/** Upstream's cost of making a list, a map and an object. */
const literalCosts = { list: 10, map: 30, struct: 40 };

/** Stands where the parser left an operand out, which it never does. */
const noOperand: Evaluation = () => {
  throw new CelEvaluationError("no such overload");
};

type Operator = (first: Evaluation, second: Evaluation, third: Evaluation) => Evaluation;

/** Those that do not always look at all of their operands, or cost less than a call. */
const ownOperators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["_&&_", (left, right) => logical(left, right, false)],
  ["_||_", (left, right) => logical(left, right, true)],
  ["_?_:_", (condition, whenTrue, whenFalse) => conditional(condition, whenTrue, whenFalse)],
  ["_[_]", (operand, key) => index(operand, key, { optional: false })],
  ["_[?_]", (operand, key) => index(operand, key, { optional: true })],
]);

/** Compiles a checked expression. */
export function compileExpr(checked: CheckedExpr): Evaluation {
  return new Compiler(checked).compile(checked.expr, []);
}

/** The names that macros have bound around a node; the index is the slot in `Frame.locals`. */
type Locals = readonly string[];

class Compiler {
  readonly #calls: ReadonlyMap<Expr, ResolvedCall>;
  readonly #qualified: ReadonlySet<Expr>;

  constructor({ calls, qualified }: CheckedExpr) {
    this.#calls = calls;
    this.#qualified = qualified;
  }

  compile(expr: Expr, locals: Locals): Evaluation {
    switch (expr.kind) {
      case "const":
        return () => expr.value;
      case "ident":
        return ident(expr.name, locals);
      case "select":
        return this.#select(expr, locals);
      case "call":
        return this.#call(expr, locals);
      case "list":
        return this.#list(expr, locals);
      case "map":
        return this.#map(expr, locals);
      case "struct":
        return this.#struct(expr, locals);
      case "bind":
        return this.#bind(expr, locals);
      case "optionalMap":
        return this.#optionalMap(expr, locals);
      case "fold":
        return this.#fold(expr, locals);
    }
  }

  #select(expr: Expr & { kind: "select" }, locals: Locals): Evaluation {
    const typeName = qualifiedName(expr);
    if (typeName !== undefined && this.#qualified.has(expr)) return ident(typeName, []);
    if (typeName !== undefined && /^(google\.protobuf|net|kubernetes)\./.test(typeName)) return () => new CelTypeValue(typeName);
    const operand = this.compile(expr.operand, locals);
    const { field, testOnly = false, optional = false } = expr;
    return (frame) => {
      frame.budget.spend(1);
      const target = operand(frame);
      if (testOnly) return hasField(target, field);
      return target instanceof CelOptional || optional ? optionalElement(target, field) : selectField(target, field);
    };
  }

  /** Compiles each argument once: twice at each level would take for ever. */
  #call(expr: Expr & { kind: "call" }, locals: Locals): Evaluation {
    const compiled = (args: readonly Expr[]) => args.map((arg) => this.compile(arg, locals));
    const operator = expr.target === undefined ? ownOperators.get(expr.name) : undefined;
    if (operator !== undefined) {
      const [first = noOperand, second = noOperand, third = noOperand] = compiled(expr.args);
      return operator(first, second, third);
    }
    const { overloads, args } = this.#calls.get(expr) ?? { overloads: [], args: [] };
    return functionCall(overloads, compiled(args));
  }

  #list({ elements }: Expr & { kind: "list" }, locals: Locals): Evaluation {
    const parts = elements.map(({ value, optional }) => ({ value: this.compile(value, locals), optional }));
    return (frame) => {
      frame.budget.spend(literalCosts.list);
      return CelList.of(parts.flatMap(({ value, optional }) => present(value(frame), optional)));
    };
  }

  #map({ entries }: Expr & { kind: "map" }, locals: Locals): Evaluation {
    const parts = entries.map(({ key, value, optional }) => ({
      key: this.compile(key, locals),
      value: this.compile(value, locals),
      optional,
    }));
    return (frame) => {
      frame.budget.spend(literalCosts.map);
      const map = new Map<unknown, unknown>();
      for (const part of parts) {
        const key = normalKey(part.key(frame));
        for (const value of present(part.value(frame), part.optional)) {
          if (map.has(key)) throw new CelEvaluationError(`Failed with repeated key: ${String(key)}`);
          map.set(key, value);
        }
      }
      return new LiteralMap(map);
    };
  }

  #struct({ typeName, entries }: Expr & { kind: "struct" }, locals: Locals): Evaluation {
    const parts = entries.map(({ field, value, optional }) => ({ field, value: this.compile(value, locals), optional }));
    return (frame) => {
      frame.budget.spend(literalCosts.struct);
      const fields = parts.flatMap(({ field, value, optional }) => present(value(frame), optional).map((item) => [field, item] as const));
      return new StructValue(typeName, new Map(fields));
    };
  }

  #bind({ name, init, body }: Expr & { kind: "bind" }, locals: Locals): Evaluation {
    const initial = this.compile(init, locals);
    const inner = this.compile(body, [...locals, name]);
    return (frame) => withLocal(frame, initial(frame), inner);
  }

  #optionalMap({ name, operand, body, flat }: Expr & { kind: "optionalMap" }, locals: Locals): Evaluation {
    const target = this.compile(operand, locals);
    const inner = this.compile(body, [...locals, name]);
    return (frame) => {
      const optional = target(frame);
      if (!(optional instanceof CelOptional)) throw new CelEvaluationError("no such overload");
      if (!optional.hasValue) return optional;
      const result = withLocal(frame, optional.value, inner);
      return flat ? result : new CelOptional(result);
    };
  }

  #fold(expr: FoldExpr, locals: Locals): Evaluation {
    const inner = [...locals, ...expr.variables];
    const range = this.compile(expr.range, locals);
    const body = this.compile(expr.body, inner);
    const filter = expr.filter && this.compile(expr.filter, inner);
    const { fold, variables } = expr;
    return (frame) => {
      const iterable = range(frame);
      return evaluateFold({ fold, arity: variables.length, frame, body, ...(filter !== undefined && { filter }) }, iterable);
    };
  }
}

function withLocal(frame: Frame, value: unknown, body: Evaluation): unknown {
  frame.locals.push(value);
  try {
    return body(frame);
  } finally {
    frame.locals.pop();
  }
}

function ident(name: string, locals: Locals): Evaluation {
  const slot = locals.lastIndexOf(name);
  if (slot >= 0)
    return (frame) => {
      frame.budget.spend(1);
      return frame.locals[slot];
    };
  return (frame) => {
    frame.budget.spend(1);
    return frame.variable(name) ?? typeValue(name);
  };
}

/** Names that are no variables are types: the checker lets nothing else pass. */
function typeValue(name: string): CelTypeValue {
  if (typeNames.has(name)) return new CelTypeValue(name);
  throw new CelEvaluationError(`no such attribute(s): ${name}`);
}

/** Both sides may fail without harm as long as the other one decides: `true || error` is true. */
function logical(left: Evaluation, right: Evaluation, decisive: boolean): Evaluation {
  return (frame) => {
    const first = attempt(left, frame);
    if (first === decisive) return decisive;
    const second = attempt(right, frame);
    if (second === decisive) return decisive;
    if (first instanceof CelEvaluationError) throw first;
    if (second instanceof CelEvaluationError) throw second;
    if (typeof first !== "boolean" || typeof second !== "boolean") throw new CelEvaluationError("no such overload");
    return !decisive;
  };
}

function attempt(evaluation: Evaluation, frame: Frame): unknown {
  try {
    return evaluation(frame);
  } catch (err) {
    if (err instanceof CelEvaluationError && !(err instanceof CelCostError)) return err;
    throw err;
  }
}

function conditional(condition: Evaluation, whenTrue: Evaluation, whenFalse: Evaluation): Evaluation {
  return (frame) => {
    const decided = condition(frame);
    if (typeof decided !== "boolean") throw new CelEvaluationError("no such overload");
    return decided ? whenTrue(frame) : whenFalse(frame);
  };
}

function functionCall(overloads: readonly Overload[], args: readonly Evaluation[]): Evaluation {
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    const chosen = overloads.find(({ parameters }) => parameters.every((type, position) => isOfType(values[position], type)));
    if (chosen === undefined) throw new CelEvaluationError("no such overload");
    const cost = chosen.cost as ((...args: unknown[]) => number) | undefined;
    frame.budget.spend(1 + (cost?.(...values) ?? 0));
    return (chosen.implementation as (...args: unknown[]) => unknown)(...values);
  };
}

function present(value: unknown, optional: boolean): readonly unknown[] {
  if (!optional) return [value];
  if (!(value instanceof CelOptional)) throw new CelEvaluationError("no such overload");
  return value.hasValue ? [value.value] : [];
}

function hasField(target: unknown, field: string): boolean {
  if (target instanceof CelOptional) return target.hasValue && hasField(target.value, field);
  if (!isMap(target)) throw new CelEvaluationError("no such overload");
  return target.get(field) !== undefined;
}

function selectField(target: unknown, field: string): unknown {
  if (!isMap(target)) throw new CelEvaluationError("no such overload");
  const value = target.get(field);
  if (value === undefined) throw new CelEvaluationError(`no such key: ${field}`);
  return value;
}

function index(operand: Evaluation, key: Evaluation, { optional }: { optional: boolean }): Evaluation {
  return (frame) => {
    frame.budget.spend(1);
    const target = operand(frame);
    const at = key(frame);
    if (target instanceof CelOptional || optional) return optionalElement(target, at);
    const value = elementAt(target, at);
    if (value !== undefined) return value;
    throw new CelEvaluationError(target instanceof CelList ? `index out of bounds: ${String(at)}` : `no such key: ${String(at)}`);
  };
}

function optionalElement(target: unknown, key: unknown): CelOptional {
  if (target instanceof CelOptional) return target.hasValue ? optionalElement(target.value, key) : target;
  return new CelOptional(elementAt(target, key));
}

function elementAt(target: unknown, key: unknown): unknown {
  if (target instanceof CelList) {
    const position = normalKey(key);
    if (typeof position !== "bigint") throw new CelEvaluationError("no such overload");
    return target.at(Number(position));
  }
  if (isMap(target)) return (target as CelMap).get(normalKey(key));
  throw new CelEvaluationError("no such overload");
}
