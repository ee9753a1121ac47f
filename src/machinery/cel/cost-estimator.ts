// How much an expression may cost at most, before it ever runs: from its syntax and from how large the values may be that it
// reads. These numbers decide which rules a CustomResourceDefinition may have, so they are upstream's.
// @see cel-go `checker/cost.go`
import type { Expr, FoldExpr, FoldKind } from "./ast.ts";
import type { CheckedExpr } from "./checker.ts";
import { type CostRange, either, exactly, one, product, sum, unknown, zero } from "./cost-range.ts";
import { type CallSite, estimateCall } from "./library/call-estimates.ts";
import { type CelType, structured } from "./types.ts";

/** How large a value may be (characters, items, entries), and what is in it. */
export interface CelBound {
  readonly size: CostRange;
  /** Of the items of a list or the values of a map. */
  readonly each?: CelBound | undefined;
  readonly keys?: CelBound | undefined;
  readonly fields?: ReadonlyMap<string, CelBound>;
}

interface Estimate {
  readonly cost: CostRange;
  /** undefined: nothing but the type is known of the value. */
  readonly bound: CelBound | undefined;
}

/** What one round of a comprehension costs beside its body, and what all rounds cost together. */
interface FoldCosts {
  readonly around: CostRange;
  round(body: CostRange, filter: CostRange | undefined): CostRange;
}

const scalar: CelBound = { size: one };
const scalarNames: ReadonlySet<CelType> = new Set<CelType>(["bool", "int", "uint", "double", "type", "timestamp", "duration"]);
const [listCost, mapCost, structCost] = [exactly(10), exactly(30), exactly(40)];

/** A step that is taken if the filter holds; otherwise only the result so far is read. */
const filtered = (step: CostRange, filter: CostRange | undefined) => (filter === undefined ? step : sum(filter, either(step, one)));
/** A quantifier looks at what it has so far, and at the body unless that decides. */
const quantifier = (look: number): FoldCosts => ({
  around: one,
  round: (body) => ({ min: look + 1, max: look + 1 + body.max }),
});
const folds: Readonly<Record<Exclude<FoldKind, "sortBy">, FoldCosts>> = {
  all: quantifier(2),
  exists: quantifier(3),
  existsOne: { around: exactly(2), round: (body) => sum(body, { min: 1, max: 2 }) },
  filter: { around: sum(listCost, one), round: (body) => sum(body, { min: 1, max: 13 }) },
  map: { around: sum(listCost, one), round: (body, filter) => filtered(sum(exactly(12), body), filter) },
  transformMap: { around: sum(mapCost, one), round: (body, filter) => filtered(sum(exactly(3), body), filter) },
  transformMapEntry: { around: sum(mapCost, one), round: (body, filter) => filtered(sum(exactly(2), body), filter) },
};

/** `bounds` are of the variables. */
export function estimateCost(checked: CheckedExpr, bounds: Readonly<Record<string, CelBound>>): CostRange {
  return new Estimator(checked).of(checked.expr, new Map(Object.entries(bounds))).cost;
}

type Scope = ReadonlyMap<string, CelBound | undefined>;

class Estimator {
  readonly #checked: CheckedExpr;

  constructor(checked: CheckedExpr) {
    this.#checked = checked;
  }

  of(expr: Expr, scope: Scope): Estimate {
    switch (expr.kind) {
      case "const":
        return { cost: zero, bound: constantBound(expr.value) };
      case "ident":
        return { cost: one, bound: scope.get(expr.name) };
      case "select":
        return this.#select(expr, scope);
      case "call":
        return this.#call(expr, scope);
      case "list": {
        const elements = expr.elements.map(({ value }) => this.of(value, scope));
        const each = elements.map(({ bound }) => bound).reduce(eitherBound, elements[0]?.bound);
        return { cost: sum(listCost, ...elements.map(({ cost }) => cost)), bound: { size: exactly(elements.length), each } };
      }
      case "map": {
        const parts = expr.entries.flatMap(({ key, value }) => [this.of(key, scope).cost, this.of(value, scope).cost]);
        return { cost: sum(mapCost, ...parts), bound: { size: exactly(expr.entries.length) } };
      }
      case "struct":
        return { cost: sum(structCost, ...expr.entries.map(({ value }) => this.of(value, scope).cost)), bound: undefined };
      case "bind": {
        const init = this.of(expr.init, scope);
        const body = this.of(expr.body, new Map([...scope, [expr.name, init.bound]]));
        return { cost: sum(listCost, init.cost, body.cost), bound: body.bound };
      }
      case "optionalMap":
        return this.#optionalMap(expr, scope);
      case "fold":
        return this.#fold(expr, scope);
    }
  }

  #typeOf(expr: Expr): CelType {
    return this.#checked.types.get(expr) ?? "dyn";
  }

  #sizeOf(expr: Expr, { bound }: Estimate): CostRange {
    return bound?.size ?? (isScalar(this.#typeOf(expr)) ? one : unknown);
  }

  #select(expr: Expr & { kind: "select" }, scope: Scope): Estimate {
    if (this.#checked.qualified.has(expr)) return { cost: one, bound: undefined };
    const operand = this.of(expr.operand, scope);
    if (expr.testOnly === true) return { cost: operand.cost, bound: scalar };
    const type = structured(this.#typeOf(expr.operand));
    const isFree = type === "dyn" && expr.optional !== true;
    const bound = operand.bound?.fields?.get(expr.field) ?? operand.bound?.each;
    return { cost: isFree ? operand.cost : sum(operand.cost, one), bound };
  }

  #call(expr: Expr & { kind: "call" }, scope: Scope): Estimate {
    const { overloads, args: nodes } = this.#checked.calls.get(expr) ?? { overloads: [], args: expr.args };
    const args = nodes.map((node) => this.of(node, scope));
    const costs = sum(...args.map(({ cost }) => cost));
    const [first, second, third] = args;
    switch (expr.name) {
      case "_&&_":
      case "_||_":
        return { cost: { min: first?.cost.min ?? 0, max: costs.max }, bound: scalar };
      case "_?_:_": {
        const [yes = zero, no = zero] = [second?.cost, third?.cost];
        return { cost: sum(first?.cost ?? zero, either(yes, no)), bound: eitherBound(second?.bound, third?.bound) };
      }
      case "_[_]":
      case "_[?_]":
        return { cost: sum(one, costs), bound: first?.bound?.each };
      case "dyn":
        return { cost: sum(one, costs), bound: first?.bound };
    }
    const sizes = args.map((arg, index) => this.#sizeOf(nodes[index] ?? expr, arg));
    const types = nodes.map((node) => this.#typeOf(node));
    const site: Omit<CallSite, "overload"> = { nodes, types, sizes, bounds: args.map(({ bound }) => bound) };
    const found = overloads.map((overload) => estimateCall({ ...site, overload }));
    const cost = found.map((one) => one.cost).reduce(either, found[0]?.cost ?? one);
    const size = found.map((one) => one.size).reduce((left, right) => (left && right ? either(left, right) : (left ?? right)), undefined);
    return { cost: sum(cost, costs), bound: size === undefined ? undefined : { size } };
  }

  /** What the macro stands for: `x.hasValue() ? optional.of(body over x.value()) : optional.none()`. */
  #optionalMap(expr: Expr & { kind: "optionalMap" }, scope: Scope): Estimate {
    const operand = this.of(expr.operand, scope);
    const body = this.of(expr.body, new Map([...scope, [expr.name, operand.bound]]));
    const asked = sum(operand.cost, one);
    const whenThere = sum(listCost, asked, body.cost, expr.flat ? zero : one);
    return { cost: sum(asked, either(whenThere, one)), bound: body.bound };
  }

  #fold(expr: FoldExpr, scope: Scope): Estimate {
    const range = this.of(expr.range, scope);
    const count = this.#sizeOf(expr.range, range);
    const inner = new Map([...scope, ...this.#variables(expr, range.bound)]);
    const body = this.of(expr.body, inner);
    const filter = expr.filter === undefined ? undefined : this.of(expr.filter, inner).cost;
    if (expr.fold === "sortBy") {
      const { around, round } = folds.map;
      const keys = sum(around, product(count, round(body.cost, undefined)));
      return { cost: sum(listCost, range.cost, keys, one), bound: range.bound };
    }
    const { around, round } = folds[expr.fold];
    const cost = sum(range.cost, around, product(count, round(body.cost, filter)));
    return { cost, bound: this.#result(expr.fold, { count, body: body.bound, item: inner.get(expr.variables[0] ?? "") }) };
  }

  #variables({ range, variables }: FoldExpr, bound: CelBound | undefined): [string, CelBound | undefined][] {
    const type = structured(this.#typeOf(range));
    const isMap = typeof type === "object" && type.kind === "map";
    const [first = "", second] = variables;
    if (second === undefined) return [[first, isMap ? bound?.keys : bound?.each]];
    return [
      [first, isMap ? bound?.keys : scalar],
      [second, bound?.each],
    ];
  }

  #result(fold: FoldKind, { count, body, item }: { count: CostRange; body: CelBound | undefined; item: CelBound | undefined }): CelBound {
    if (fold === "all" || fold === "exists" || fold === "existsOne") return scalar;
    return { size: count, each: fold === "filter" ? item : body };
  }
}

function isScalar(type: CelType): boolean {
  const shape = structured(type);
  if (typeof shape === "object" && shape.kind === "opaque" && shape.name === "optional_type") return isScalar(shape.parameters[0] ?? "dyn");
  return scalarNames.has(shape);
}

function constantBound(value: unknown): CelBound {
  if (typeof value === "string") return { size: exactly([...value].length) };
  return value instanceof Uint8Array ? { size: exactly(value.length) } : scalar;
}

/** undefined as soon as nothing is known of one. */
function eitherBound(left: CelBound | undefined, right: CelBound | undefined): CelBound | undefined {
  if (left === undefined || right === undefined) return undefined;
  const each = left.each === undefined && right.each === undefined ? {} : { each: eitherBound(left.each, right.each) };
  return { size: either(left.size, right.size), ...each };
}
