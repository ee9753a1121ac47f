// The syntax tree of CEL. Macros are resolved by the parser: what they stand for has nodes of its own (`fold`, `bind`, a
// `select` that only tests).
import type { CelUint } from "./values.ts";

/** A node; `offset` is where cel-go would point for it: operators at the operator, calls at the parenthesis. */
export type Expr = ExprKind & { readonly offset: number };

/** The kinds of nodes. */
export type ExprKind =
  | { readonly kind: "const"; readonly value: null | boolean | bigint | number | string | CelUint | Uint8Array }
  | { readonly kind: "ident"; readonly name: string }
  | { readonly kind: "select"; readonly operand: Expr; readonly field: string; readonly testOnly?: boolean; readonly optional?: boolean }
  | { readonly kind: "call"; readonly name: string; readonly target?: Expr; readonly args: readonly Expr[] }
  | { readonly kind: "list"; readonly elements: readonly Element[] }
  | { readonly kind: "map"; readonly entries: readonly MapEntry[] }
  | { readonly kind: "struct"; readonly typeName: string; readonly entries: readonly StructEntry[] }
  | FoldExpr
  | { readonly kind: "bind"; readonly name: string; readonly init: Expr; readonly body: Expr }
  | { readonly kind: "optionalMap"; readonly name: string; readonly operand: Expr; readonly body: Expr; readonly flat: boolean };

/** What a comprehension makes of the items it goes through. */
export type FoldKind = "all" | "exists" | "existsOne" | "map" | "filter" | "transformMap" | "transformMapEntry" | "sortBy";

/** A comprehension over a list or map: one variable is the element (or key), two are index and element (or key and value). */
export interface FoldExpr {
  readonly kind: "fold";
  readonly fold: FoldKind;
  readonly range: Expr;
  readonly variables: readonly string[];
  readonly filter?: Expr;
  readonly body: Expr;
}

/** An element of a list literal; an optional one (`?x`) is left out when it has no value. */
export interface Element {
  readonly value: Expr;
  readonly optional: boolean;
}

/** An entry of a map literal. */
export interface MapEntry extends Element {
  readonly key: Expr;
}

/** A field of a struct literal. */
export interface StructEntry extends Element {
  readonly field: string;
  readonly offset: number;
}
