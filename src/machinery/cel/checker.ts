// Gives every node of a syntax tree its type, finds the overloads a call may mean, and reports what does not fit in cel-go's
// words.
import type { Expr, FoldExpr } from "./ast.ts";
import { CelCompileError, type CelIssue } from "./errors.ts";
import type { FunctionTable, Overload } from "./functions.ts";
import { qualifiedName } from "./parser.ts";
import type { Bindings, CelObjectType, CelType } from "./types.ts";
import { formatType, isAssignable, joinTypes, listOf, optionalOf, structured, substitute } from "./types.ts";

/** What is known about the names in an expression. */
export interface Declarations {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: FunctionTable;
  /** Types that struct literals can build, by name. */
  readonly structs: Pick<ReadonlyMap<string, CelObjectType>, "get">;
}

/** The result of checking. */
export interface CheckedExpr {
  readonly expr: Expr;
  readonly type: CelType;
  /** Of every node. */
  readonly types: ReadonlyMap<Expr, CelType>;
  /** For each call: the overloads that may be meant. For one with a namespace (`sets.contains`) the arguments have no target. */
  readonly calls: ReadonlyMap<Expr, ResolvedCall>;
  /** The declared variables that are read. */
  readonly variables: ReadonlySet<string>;
  /** The fields that are selected of a variable: `claims.email`. */
  readonly selections: ReadonlySet<string>;
  /** The selections that are variables with dots in their name: `authorizer.requestResource`. */
  readonly qualified: ReadonlySet<Expr>;
}

/** What a call means. */
export interface ResolvedCall {
  readonly overloads: readonly Overload[];
  readonly args: readonly Expr[];
}

/** Checks an expression. Throws CelCompileError with all issues. */
export function check(source: string, expr: Expr, declarations: Declarations): CheckedExpr {
  const checker = new Checker(declarations);
  const type = checker.typeOf(expr, declarations.variables);
  if (checker.issues.length > 0) throw new CelCompileError(source, checker.issues);
  return {
    expr,
    type,
    types: checker.types,
    calls: checker.calls,
    variables: checker.variables,
    selections: checker.selections,
    qualified: checker.qualified,
  };
}

type Scope = ReadonlyMap<string, CelType>;

/** Types that can be named in an expression: `type(x) == int`. */
export const typeNames: ReadonlySet<string> = new Set([
  "bool",
  "int",
  "uint",
  "double",
  "string",
  "bytes",
  "list",
  "map",
  "null_type",
  "type",
  "dyn",
]);

class Checker {
  readonly issues: CelIssue[] = [];
  readonly types = new Map<Expr, CelType>();
  readonly calls = new Map<Expr, ResolvedCall>();
  readonly variables = new Set<string>();
  readonly selections = new Set<string>();
  readonly qualified = new Set<Expr>();
  readonly #declarations: Declarations;
  /** List literals whose elements may be of different types. */
  readonly #mixed = new Set<Expr>();

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  typeOf(expr: Expr, scope: Scope): CelType {
    const type = this.#find(expr, scope);
    this.types.set(expr, type);
    return type;
  }

  #find(expr: Expr, scope: Scope): CelType {
    switch (expr.kind) {
      case "const":
        return constantType(expr.value);
      case "ident":
        return this.#ident(expr.name, expr, scope);
      case "select":
        return this.#select(expr, scope);
      case "call":
        return this.#call(expr, scope);
      case "list":
        return listOf(this.#elementType(expr.elements, scope, this.#mixed.has(expr)));
      case "map": {
        const key = this.#elementType(
          expr.entries.map((entry) => ({ value: entry.key, optional: false })),
          scope,
        );
        return { kind: "map", key, value: this.#elementType(expr.entries, scope) };
      }
      case "struct":
        return this.#struct(expr, scope);
      case "bind":
        return this.typeOf(expr.body, new Map([...scope, [expr.name, this.typeOf(expr.init, scope)]]));
      case "optionalMap":
        return this.#optionalMap(expr, scope);
      case "fold":
        return this.#fold(expr, scope);
    }
  }

  #report({ offset }: { offset: number }, message: string): CelType {
    this.issues.push({ offset, message });
    return "dyn";
  }

  #ident(name: string, at: Expr, scope: Scope): CelType {
    const type = scope.get(name);
    if (type === this.#declarations.variables.get(name)) this.variables.add(name);
    if (type !== undefined) return type;
    return typeNames.has(name) ? "type" : this.#report(at, `undeclared reference to '${name}' (in container '')`);
  }

  #select(expr: Expr & { kind: "select" }, scope: Scope): CelType {
    const name = qualifiedName(expr) ?? "";
    if (/^(google\.protobuf\.|net\.|kubernetes\.)/.test(name)) return "type";
    const variable = scope.get(name);
    if (variable !== undefined) {
      this.qualified.add(expr);
      return variable;
    }
    if (expr.operand.kind === "ident") this.selections.add(`${expr.operand.name}.${expr.field}`);
    const operand = this.typeOf(expr.operand, scope);
    const target = unwrapOptional(operand);
    const field = this.#fieldType(expr, target ?? operand);
    if (expr.testOnly) return "bool";
    return target !== undefined || expr.optional ? optionalOf(unwrapOptional(field) ?? field) : field;
  }

  #fieldType(expr: Expr & { kind: "select" }, operand: CelType): CelType {
    const shape = structured(operand);
    if (shape === "dyn") return "dyn";
    if (typeof shape === "object" && shape.kind === "map") return shape.value;
    if (typeof shape === "object" && shape.kind === "object")
      return shape.fields.get(expr.field)?.type ?? this.#report(expr, `undefined field '${expr.field}'`);
    return this.#report(expr, `type '${formatType(operand)}' does not support field selection`);
  }

  #call(expr: Expr & { kind: "call" }, scope: Scope): CelType {
    if (expr.name === "_[_]" || expr.name === "_[?_]") return this.#index(expr, scope);
    const namespace = expr.target === undefined ? undefined : qualifiedName(expr.target);
    if (namespace !== undefined && !scope.has(namespace) && this.#declarations.functions.has(`${namespace}.${expr.name}`))
      return this.#resolve(expr, { name: `${namespace}.${expr.name}`, isMethod: false, args: expr.args }, scope);
    const args = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    return this.#resolve(expr, { name: expr.name, isMethod: expr.target !== undefined, args }, scope);
  }

  #resolve(expr: Expr, call: { name: string; isMethod: boolean; args: readonly Expr[] }, scope: Scope): CelType {
    const { name, isMethod, args } = call;
    if (!this.#declarations.functions.has(name)) {
      for (const arg of args) this.typeOf(arg, scope);
      return this.#report(expr, `undeclared reference to '${name}' (in container '')`);
    }
    if (name === "format") for (const arg of args) this.#mixed.add(arg);
    const types = args.map((arg) => this.typeOf(arg, scope));
    const matching = this.#declarations.functions.find(name, isMethod, args.length).flatMap((overload) => {
      const bindings: Bindings = new Map();
      const fits = overload.parameters.every((parameter, index) => isAssignable(parameter, types[index] ?? "dyn", bindings));
      return fits ? [{ overload, result: substitute(overload.result, bindings) }] : [];
    });
    const [first, ...others] = matching;
    if (first === undefined)
      return this.#report(expr, `found no matching overload for '${name}' applied to '${formatArguments(types, isMethod)}'`);
    this.calls.set(expr, { overloads: matching.map(({ overload }) => overload), args });
    return others.every(({ result }) => formatType(result) === formatType(first.result)) ? first.result : "dyn";
  }

  #index(expr: Expr & { kind: "call" }, scope: Scope): CelType {
    const [operand = expr, index = expr] = expr.args;
    const operandType = this.typeOf(operand, scope);
    const indexType = this.typeOf(index, scope);
    const target = unwrapOptional(operandType);
    const shape = structured(target ?? operandType);
    const element = this.#elementAt(expr, { shape, indexType, operandType });
    return target !== undefined || expr.name === "_[?_]" ? optionalOf(unwrapOptional(element) ?? element) : element;
  }

  #elementAt(expr: Expr & { kind: "call" }, types: { shape: CelType; indexType: CelType; operandType: CelType }): CelType {
    const { shape, indexType, operandType } = types;
    if (shape === "dyn") return "dyn";
    if (typeof shape === "object" && shape.kind === "list" && isAssignable("int", indexType, new Map())) return shape.element;
    if (typeof shape === "object" && shape.kind === "map" && isAssignable(shape.key, indexType, new Map())) return shape.value;
    const shown = formatArguments([operandType, indexType], false);
    return this.#report(expr, `found no matching overload for '${expr.name}' applied to '${shown}'`);
  }

  #elementType(elements: readonly { value: Expr; optional: boolean }[], scope: Scope, mayMix = false): CelType {
    let joined: CelType | undefined;
    for (const { value, optional } of elements) {
      const found = this.typeOf(value, scope);
      const type = optional ? (unwrapOptional(found) ?? "dyn") : found;
      const next: CelType | undefined = joined === undefined ? type : joinTypes(joined, type);
      if (next === undefined && mayMix) joined = "dyn";
      else if (next === undefined && joined !== undefined)
        this.#report(value, `expected type '${formatType(joined)}' but found '${formatType(type)}'`);
      joined = next ?? joined;
    }
    return joined ?? "dyn";
  }

  #struct(expr: Expr & { kind: "struct" }, scope: Scope): CelType {
    const type = this.#declarations.structs.get(expr.typeName);
    if (type === undefined) return this.#report(expr, `undeclared reference to '${expr.typeName}' (in container '')`);
    for (const { field, value, optional, offset } of expr.entries) {
      const found = this.typeOf(value, scope);
      const declared = type.fields.get(field)?.type;
      if (declared === undefined) this.#report({ offset }, `undefined field '${field}'`);
      else if (!isAssignable(optional ? optionalOf(declared) : declared, found, new Map()))
        this.#report(
          { offset },
          `expected type of field '${field}' is '${formatType(declared)}' but provided type is '${formatType(found)}'`,
        );
    }
    return type;
  }

  #optionalMap(expr: Expr & { kind: "optionalMap" }, scope: Scope): CelType {
    const operand = this.typeOf(expr.operand, scope);
    const inner = operand === "dyn" ? "dyn" : unwrapOptional(operand);
    if (inner === undefined)
      return this.#report(
        expr,
        `found no matching overload for '${expr.flat ? "optFlatMap" : "optMap"}' applied to '${formatType(operand)}.()'`,
      );
    const body = this.typeOf(expr.body, new Map([...scope, [expr.name, inner]]));
    return expr.flat ? body : optionalOf(body);
  }

  #fold(expr: FoldExpr, scope: Scope): CelType {
    const range = this.typeOf(expr.range, scope);
    const inner = new Map([...scope, ...this.#foldVariables(expr, range)]);
    if (expr.filter !== undefined) this.#expectBool(expr.filter, inner);
    switch (expr.fold) {
      case "all":
      case "exists":
      case "existsOne":
        this.#expectBool(expr.body, inner);
        return "bool";
      case "filter":
        this.#expectBool(expr.body, inner);
        return listOf([...this.#foldVariables(expr, range)][0]?.[1] ?? "dyn");
      case "map":
        return listOf(this.typeOf(expr.body, inner));
      case "sortBy":
        this.typeOf(expr.body, inner);
        return range;
      case "transformMap":
        return { kind: "map", key: keyType(range), value: this.typeOf(expr.body, inner) };
      case "transformMapEntry":
        return this.typeOf(expr.body, inner);
    }
  }

  #foldVariables({ range, variables }: FoldExpr, rangeType: CelType): [string, CelType][] {
    const shape = structured(rangeType);
    const [first = "", second] = variables;
    if (typeof shape === "object" && shape.kind === "list")
      return second === undefined
        ? [[first, shape.element]]
        : [
            [first, "int"],
            [second, shape.element],
          ];
    if (typeof shape === "object" && shape.kind === "map")
      return second === undefined
        ? [[first, shape.key]]
        : [
            [first, shape.key],
            [second, shape.value],
          ];
    if (shape !== "dyn")
      this.#report(
        range,
        `expression of type '${formatType(rangeType)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      );
    return variables.map((name) => [name, "dyn"]);
  }

  #expectBool(expr: Expr, scope: Scope): void {
    const type = this.typeOf(expr, scope);
    if (!isAssignable("bool", type, new Map())) this.#report(expr, `expected type 'bool' but found '${formatType(type)}'`);
  }
}

function keyType(range: CelType): CelType {
  const shape = structured(range);
  if (typeof shape !== "object") return "dyn";
  return shape.kind === "map" ? shape.key : "int";
}

function unwrapOptional(type: CelType): CelType | undefined {
  const shape = structured(type);
  return typeof shape === "object" && shape.kind === "opaque" && shape.name === "optional_type"
    ? (shape.parameters[0] ?? "dyn")
    : undefined;
}

function constantType(value: unknown): CelType {
  if (value === null) return "null_type";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "double";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  return value instanceof Uint8Array ? "bytes" : "uint";
}

function formatArguments(types: readonly CelType[], isMethod: boolean): string {
  const [target = "dyn", ...args] = types;
  return isMethod ? `${formatType(target)}.(${args.map(formatType).join(", ")})` : `(${types.map(formatType).join(", ")})`;
}
