// Parses CEL by recursive descent, one method for each level of precedence. What a macro stands for comes from `macros.ts`.
import type { Element, Expr, MapEntry, StructEntry } from "./ast.ts";
import { CelCompileError } from "./errors.ts";
import { type Token, tokenize } from "./lexer.ts";
import { expandMacro } from "./macros.ts";

const startOfExpression =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/** cel-go's limit on nesting. */
const maxDepth = 250;
const reserved = new Set("as break const continue else for function if import let loop package namespace return var void while".split(" "));
const binaryLevels: readonly (readonly string[])[] = [
  ["<", "<=", ">=", ">", "==", "!=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];
const operatorNames: Readonly<Record<string, string>> = { in: "@in" };

/** The syntax tree of `source`. Throws CelCompileError. */
export function parse(source: string): Expr {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  parse(): Expr {
    const expr = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== "end") throw this.#error(rest, `Syntax error: mismatched input '${rest.text}' expecting <EOF>`);
    return expr;
  }

  #expression(): Expr {
    this.#checkDepth(++this.#depth);
    const condition = this.#logical("||", () => this.#logical("&&", () => this.#binary(0)));
    const question = this.#accept("?");
    const expr = question === undefined ? condition : this.#conditional(condition, question);
    this.#depth--;
    return expr;
  }

  #conditional(condition: Expr, { offset }: Token): Expr {
    const whenTrue = this.#logical("||", () => this.#logical("&&", () => this.#binary(0)));
    this.#expect(":");
    return { kind: "call", name: "_?_:_", args: [condition, whenTrue, this.#expression()], offset };
  }

  #logical(sign: "||" | "&&", operand: () => Expr): Expr {
    const operands = [operand()];
    const offsets: number[] = [];
    for (let token = this.#accept(sign); token !== undefined; token = this.#accept(sign)) {
      offsets.push(token.offset);
      operands.push(operand());
    }
    return balanced(`_${sign}_`, operands, offsets);
  }

  #binary(level: number): Expr {
    const signs = binaryLevels[level];
    if (signs === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (let length = 1; ; length++) {
      const token = this.#accept(...signs);
      if (token === undefined) return left;
      this.#checkDepth(length);
      const name = operatorNames[token.text] ?? `_${token.text}_`;
      left = { kind: "call", name, args: [left, this.#binary(level + 1)], offset: token.offset };
    }
  }

  #unary(length = 0): Expr {
    this.#checkDepth(length);
    const token = this.#accept("!", "-");
    if (token === undefined) return this.#member();
    const literal = this.#peek();
    if (token.text === "-" && literal.kind === "literal" && (typeof literal.value === "bigint" || typeof literal.value === "number")) {
      this.#position++;
      return this.#postfix({ kind: "const", value: -literal.value, offset: token.offset });
    }
    return { kind: "call", name: `${token.text}_`, args: [this.#unary(length + 1)], offset: token.offset };
  }

  #member(): Expr {
    return this.#postfix(this.#primary());
  }

  #postfix(operand: Expr): Expr {
    for (let length = 1; ; length++) {
      const token = this.#accept(".", "[", "{");
      if (token === undefined) return operand;
      this.#checkDepth(length);
      if (token.text === ".") operand = this.#select(operand, token);
      else if (token.text === "[") operand = this.#index(operand, token);
      else operand = this.#struct(operand, token);
    }
  }

  #select(operand: Expr, { offset }: Token): Expr {
    const optional = this.#accept("?") !== undefined;
    const field = this.#identifier({ isField: true });
    const open = optional ? undefined : this.#accept("(");
    if (open === undefined) return { kind: "select", operand, field, offset, ...(optional && { optional }) };
    return this.#call(field, operand, open);
  }

  #index(operand: Expr, { offset }: Token): Expr {
    const name = this.#accept("?") === undefined ? "_[_]" : "_[?_]";
    const index = this.#expression();
    this.#expect("]");
    return { kind: "call", name, args: [operand, index], offset };
  }

  #call(name: string, target: Expr | undefined, { offset }: Token): Expr {
    const args: Expr[] = [];
    while (this.#accept(")") === undefined) {
      if (args.length > 0) this.#expect(",");
      args.push(this.#expression());
    }
    const call = { name, args, offset, ...(target !== undefined && { target }) };
    return expandMacro(this.#source, call) ?? { kind: "call", ...call };
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.kind === "literal") return this.#literal();
    if (token.kind === "ident" || token.text === ".") return this.#globalIdent();
    if (this.#accept("(") !== undefined) {
      const inner = this.#expression();
      this.#expect(")");
      return inner;
    }
    if (this.#accept("[") !== undefined) return { kind: "list", elements: this.#elements(), offset: token.offset };
    if (this.#accept("{") !== undefined) return { kind: "map", entries: this.#mapEntries(), offset: token.offset };
    throw this.#error(token, `Syntax error: mismatched input '${token.text}' expecting ${startOfExpression}`);
  }

  #literal(): Expr {
    const { value, offset } = this.#next();
    if (value === 2n ** 63n) throw new CelCompileError(this.#source, [{ offset, message: "Syntax error: invalid int literal" }]);
    return { kind: "const", value: value ?? null, offset };
  }

  #globalIdent(): Expr {
    this.#accept(".");
    const { offset } = this.#peek();
    const name = this.#identifier({ isField: false });
    const open = this.#accept("(");
    return open === undefined ? { kind: "ident", name, offset } : this.#call(name, undefined, open);
  }

  #elements(): Element[] {
    const elements: Element[] = [];
    while (this.#accept("]") === undefined) {
      if (elements.length > 0) this.#expect(",");
      if (this.#accept("]") !== undefined) break;
      const optional = this.#accept("?") !== undefined;
      elements.push({ optional, value: this.#expression() });
    }
    return elements;
  }

  #mapEntries(): MapEntry[] {
    const entries: MapEntry[] = [];
    while (this.#accept("}") === undefined) {
      if (entries.length > 0) this.#expect(",");
      if (this.#accept("}") !== undefined) break;
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression();
      this.#expect(":");
      entries.push({ optional, key, value: this.#expression() });
    }
    return entries;
  }

  #struct(operand: Expr, { offset }: Token): Expr {
    const typeName = qualifiedName(operand);
    if (typeName === undefined) throw new CelCompileError(this.#source, [{ offset, message: "Syntax error: unexpected '{'" }]);
    const entries: StructEntry[] = [];
    while (this.#accept("}") === undefined) {
      if (entries.length > 0) this.#expect(",");
      if (this.#accept("}") !== undefined) break;
      const optional = this.#accept("?") !== undefined;
      const field = this.#identifier({ isField: true });
      const colon = this.#expect(":");
      entries.push({ optional, field, offset: colon.offset, value: this.#expression() });
    }
    return { kind: "struct", typeName, entries, offset };
  }

  #identifier({ isField }: { isField: boolean }): string {
    const token = this.#next();
    if (token.kind === "quotedIdent" && isField) return String(token.value);
    if (token.kind !== "ident") throw this.#error(token, `Syntax error: no viable alternative at input '${token.text}'`);
    if (reserved.has(token.text) && !isField) throw this.#error(token, `reserved identifier: ${token.text}`);
    return token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: "end", text: "<EOF>", offset: this.#source.length };
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind === "end") throw this.#error(token, `Syntax error: mismatched input '<EOF>' expecting ${startOfExpression}`);
    this.#position++;
    return token;
  }

  #accept(...signs: readonly string[]): Token | undefined {
    const token = this.#peek();
    if (token.kind !== "operator" || !signs.includes(token.text)) return undefined;
    this.#position++;
    return token;
  }

  /** Chains become trees that are as deep as they are long. */
  #checkDepth(depth: number): void {
    if (depth > maxDepth) throw this.#error(this.#peek(), `expression recursion limit exceeded: ${maxDepth}`);
  }

  #expect(sign: string): Token {
    const token = this.#accept(sign);
    if (token !== undefined) return token;
    const found = this.#peek();
    throw this.#error(found, `Syntax error: mismatched input '${found.text}' expecting '${sign}'`);
  }

  #error({ offset }: Token, message: string): CelCompileError {
    return new CelCompileError(this.#source, [{ offset, message }]);
  }
}

/** `a.b.c` of a chain of selects, or undefined. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.testOnly || expr.optional) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

/** Chains of `&&` and `||` may be thousands long. Grouped by halves they mean the same, and the tree stays flat. */
function balanced(name: string, operands: readonly Expr[], offsets: readonly number[]): Expr {
  const half = operands.length >> 1;
  const [only, offset] = [operands[0], offsets[half - 1]];
  if (only !== undefined && offset === undefined) return only;
  const left = balanced(name, operands.slice(0, half), offsets.slice(0, half - 1));
  return { kind: "call", name, args: [left, balanced(name, operands.slice(half), offsets.slice(half))], offset: offset ?? 0 };
}
