// Field selectors: `metadata.name=a,spec.nodeName!=b`, with `\\`, `\,` and `\=` as escapes in values.
import { SelectorError } from "./requirement.ts";

export interface FieldTerm {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

export interface FieldSelector {
  readonly terms: readonly FieldTerm[];
  readonly isEverything: boolean;
  /** `get` answers a field's value, "" for none. */
  matches(get: (field: string) => string): boolean;
  /** The value that the selector demands of `field`. */
  exactValue(field: string): string | undefined;
  toString(): string;
}

class TermsSelector implements FieldSelector {
  readonly terms: readonly FieldTerm[];

  constructor(terms: readonly FieldTerm[]) {
    this.terms = terms;
  }

  get isEverything(): boolean {
    return this.terms.length === 0;
  }

  matches(get: (field: string) => string): boolean {
    for (const { field, operator, value } of this.terms) if ((get(field) === value) !== (operator === "=")) return false;
    return true;
  }

  exactValue(field: string): string | undefined {
    return this.terms.find((term) => term.field === field && term.operator === "=")?.value;
  }

  toString(): string {
    return this.terms.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(",");
  }
}

/** Throws SelectorError with upstream's text. */
export function parseFieldSelector(text: string): FieldSelector {
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text)) {
    if (part === "") continue;
    const term = splitTerm(part);
    if (term === undefined) throw new SelectorError(`invalid selector: '${text}'; can't understand '${part}'`);
    terms.push({ ...term, value: unescapeValue(term.value) });
  }
  return new TermsSelector(terms);
}

export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}

/** Splits at the commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];
}

function splitTerm(part: string): FieldTerm | undefined {
  for (let index = 0; index < part.length; index++) {
    if (part[index] === "\\") index++;
    else if (part.startsWith("!=", index)) return { field: part.slice(0, index), operator: "!=", value: part.slice(index + 2) };
    else if (part.startsWith("==", index)) return { field: part.slice(0, index), operator: "=", value: part.slice(index + 2) };
    else if (part[index] === "=") return { field: part.slice(0, index), operator: "=", value: part.slice(index + 1) };
  }
  return undefined;
}

function unescapeValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  let result = "";
  for (let index = 0; index < value.length; index++) {
    const char = value[index] ?? "";
    if (char === "=" || char === ",") {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${value}`);
    }
    if (char !== "\\") result += char;
    else {
      const escaped = value[++index] ?? "";
      if (escaped !== "\\" && escaped !== "," && escaped !== "=") {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped}`);
      }
      result += escaped;
    }
  }
  return result;
}
