// CEL's macros: calls that the parser replaces. `has`, the comprehensions with one and two variables, `cel.bind`, and
// `optMap` and `optFlatMap` of optional values.
import type { Expr, FoldKind } from "./ast.ts";
import { CelCompileError } from "./errors.ts";

/** A call as written. */
export interface MacroCall {
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
  readonly offset: number;
}

/** How many variables a macro takes, and whether a filter may come before its last argument. */
interface FoldMacro {
  readonly fold: FoldKind;
  readonly variables: 1 | 2;
  readonly filtered?: boolean;
}

const folds: Readonly<Record<string, FoldMacro>> = {
  "all/2": { fold: "all", variables: 1 },
  "exists/2": { fold: "exists", variables: 1 },
  "exists_one/2": { fold: "existsOne", variables: 1 },
  "existsOne/2": { fold: "existsOne", variables: 1 },
  "map/2": { fold: "map", variables: 1 },
  "map/3": { fold: "map", variables: 1, filtered: true },
  "filter/2": { fold: "filter", variables: 1 },
  "sortBy/2": { fold: "sortBy", variables: 1 },
  "all/3": { fold: "all", variables: 2 },
  "exists/3": { fold: "exists", variables: 2 },
  "exists_one/3": { fold: "existsOne", variables: 2 },
  "existsOne/3": { fold: "existsOne", variables: 2 },
  "transformList/3": { fold: "map", variables: 2 },
  "transformList/4": { fold: "map", variables: 2, filtered: true },
  "transformMap/3": { fold: "transformMap", variables: 2 },
  "transformMap/4": { fold: "transformMap", variables: 2, filtered: true },
  "transformMapEntry/3": { fold: "transformMapEntry", variables: 2 },
  "transformMapEntry/4": { fold: "transformMapEntry", variables: 2, filtered: true },
};

/** What the call stands for, or undefined for one that is no macro. Throws CelCompileError for a macro used wrongly. */
export function expandMacro(source: string, call: MacroCall): Expr | undefined {
  const { name, target, args } = call;
  if (target === undefined) return name === "has" && args.length === 1 ? expandHas(source, call) : undefined;
  if (name === "bind" && args.length === 3 && target.kind === "ident" && target.name === "cel") return expandBind(source, call);
  if ((name === "optMap" || name === "optFlatMap") && args.length === 2) return expandOptional(source, call, target);
  const macro = folds[`${name}/${args.length}`];
  return macro && expandFold(source, macro, call, target);
}

function expandHas(source: string, { args: [arg], offset }: MacroCall): Expr {
  if (arg?.kind !== "select") throw new CelCompileError(source, [{ offset, message: "invalid argument to has() macro" }]);
  return { ...arg, testOnly: true };
}

function expandBind(source: string, { args, offset }: MacroCall): Expr | undefined {
  const [variable, init, body] = args;
  if (variable === undefined || init === undefined || body === undefined) return undefined;
  return { kind: "bind", name: variableName(source, variable), init, body, offset };
}

function expandOptional(source: string, { name, args, offset }: MacroCall, operand: Expr): Expr | undefined {
  const [variable, body] = args;
  if (variable === undefined || body === undefined) return undefined;
  return { kind: "optionalMap", name: variableName(source, variable), operand, body, flat: name === "optFlatMap", offset };
}

function expandFold(source: string, { fold, variables, filtered }: FoldMacro, { args, offset }: MacroCall, range: Expr): Expr | undefined {
  const body = args.at(-1);
  const filter = filtered ? args.at(-2) : undefined;
  if (body === undefined) return undefined;
  const names = args.slice(0, variables).map((variable) => variableName(source, variable));
  return { kind: "fold", fold, range, variables: names, body, offset, ...(filter !== undefined && { filter }) };
}

function variableName(source: string, variable: Expr): string {
  if (variable.kind === "ident") return variable.name;
  throw new CelCompileError(source, [{ offset: variable.offset, message: "argument must be a simple name" }]);
}
