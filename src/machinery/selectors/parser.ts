// The grammar of label selectors as text: `a=b,c in (d,e),!f`.
import { keyErrors, newRequirement, type Requirement, type RequirementOperator, SelectorError, throwAggregate } from "./requirement.ts";

interface Token {
  readonly kind: "end" | "identifier" | "word" | "symbol" | "error";
  readonly text: string;
}

const end: Token = { kind: "end", text: "" };
const tokenPattern = /[ \t\r\n]*(?:([=!<>(),]+)|([^ \t\r\n=!<>(),]+))/y;
const symbolTexts = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"];
const binaryOperators: Readonly<Record<string, RequirementOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};
const expectedOperators = "in, notin, =, ==, !=, gt, lt";

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) {
    if (match[2] !== undefined) tokens.push({ kind: match[2] === "in" || match[2] === "notin" ? "word" : "identifier", text: match[2] });
    else
      for (let run = match[1] ?? ""; run !== ""; ) {
        const symbol = symbolTexts.find((candidate) => run.startsWith(candidate)) ?? run;
        tokens.push({ kind: "symbol", text: symbol });
        run = run.slice(symbol.length);
      }
  }
  return tokens;
}

/** Whether a token can be a key or value; `in` and `notin` can, where no operator is due. */
function isName(token: Token): boolean {
  return token.kind === "identifier" || token.kind === "word";
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === "symbol" && token.text === text;
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? end;
  }

  #next(): Token {
    return this.#tokens[this.#position++] ?? end;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    while (true) {
      const first = this.#peek();
      if (first === end) return requirements;
      if (!startsRequirement(first)) {
        throw new SelectorError(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator === end) return requirements;
      if (!isSymbol(separator, ",")) throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (!startsRequirement(following)) throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error });
    }
  }

  #parseRequirement(): Requirement {
    const isNegated = isSymbol(this.#peek(), "!");
    if (isNegated) this.#next();
    const key = this.#next();
    if (!isName(key)) throw new SelectorError(`found '${key.text}', expected: identifier`);
    throwAggregate(keyErrors(key.text, ""));
    if (isNegated) return newRequirement(key.text, "!", []);
    const following = this.#peek();
    if (following === end || isSymbol(following, ",")) return newRequirement(key.text, "exists", []);
    const token = this.#next();
    const operator = token.kind === "identifier" ? undefined : binaryOperators[token.text];
    if (operator === undefined) throw new SelectorError(`found '${token.text}', expected: ${expectedOperators}`);
    return newRequirement(key.text, operator, operator === "in" || operator === "notin" ? this.#values() : [this.#exactValue()]);
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token === end || isSymbol(token, ",")) return "";
    this.#next();
    if (!isName(token)) throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** `(a,b)`; an empty place, as in `(a,)`, is the empty value. */
  #values(): string[] {
    const open = this.#next();
    if (!isSymbol(open, "(")) throw new SelectorError(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    let place = "";
    while (true) {
      const token = this.#next();
      if (isName(token)) {
        place = token.text;
        const following = this.#peek();
        if (isSymbol(following, ",") || isSymbol(following, ")")) continue;
        throw new SelectorError(`found '${following.text}', expected: ',' or ')'`);
      }
      values.add(place);
      place = "";
      if (isSymbol(token, ")")) return [...values].sort();
      if (!isSymbol(token, ",")) throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}

function startsRequirement(token: Token): boolean {
  return isName(token) || isSymbol(token, "!");
}

/** The requirements, sorted by key. Throws SelectorError. */
export function parseRequirements(text: string): Requirement[] {
  return new Parser(text).parse().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
