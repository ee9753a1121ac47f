// Splits the text of a CEL expression into tokens, with literals decoded.
import { CelCompileError } from "./errors.ts";
import { CelUint } from "./values.ts";

/** A token: its text as written, where it begins, and for literals the value. */
export interface Token {
  readonly kind: "ident" | "quotedIdent" | "literal" | "operator" | "end";
  readonly text: string;
  readonly offset: number;
  readonly value?: null | boolean | bigint | number | string | CelUint | Uint8Array;
}

const blank = /(?:\s|\/\/[^\n]*)+/y;
const stringLiteral = /([rR]?[bB]?|[bB][rR])("""[\s\S]*?"""|'''[\s\S]*?''')/y;
const plainString = /([rR]?[bB]?|[bB][rR])("(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')/y;
const rawString = /([rR][bB]?|[bB][rR])("[^"\n\r]*"|'[^'\n\r]*')/y;
const float = /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y;
const integer = /(0x[0-9a-fA-F]+|\d+)([uU]?)/y;
const ident = /[A-Za-z_]\w*/y;
const quotedIdent = /`([\w.\-/ ]+)`/y;
const operator = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;

const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

/** All tokens of the source, ending with an `end` token. Throws CelCompileError. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (true) {
    offset += match(blank, source, offset)?.[0].length ?? 0;
    if (offset >= source.length) break;
    const token = nextToken(source, offset);
    tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ kind: "end", text: "<EOF>", offset: source.length });
  return tokens;
}

function nextToken(source: string, offset: number): Token {
  const string = match(stringLiteral, source, offset) ?? match(rawString, source, offset) ?? match(plainString, source, offset);
  if (string !== null) return stringToken(source, offset, string);
  const number = match(float, source, offset);
  if (number !== null) return { kind: "literal", text: number[0], offset, value: Number(number[0]) };
  const whole = match(integer, source, offset);
  if (whole !== null) return integerToken(source, offset, whole);
  const quoted = match(quotedIdent, source, offset);
  if (quoted !== null) return { kind: "quotedIdent", text: quoted[0], offset, value: quoted[1] ?? "" };
  const word = match(ident, source, offset)?.[0];
  if (word !== undefined) return wordToken(word, offset);
  const sign = match(operator, source, offset)?.[0];
  if (sign !== undefined) return { kind: "operator", text: sign, offset };
  const found = source.slice(offset, offset + 1);
  throw new CelCompileError(source, [{ offset, message: `Syntax error: token recognition error at: '${found}'` }]);
}

function match(pattern: RegExp, source: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(source);
}

function wordToken(text: string, offset: number): Token {
  if (text === "true" || text === "false") return { kind: "literal", text, offset, value: text === "true" };
  if (text === "null") return { kind: "literal", text, offset, value: null };
  return { kind: text === "in" ? "operator" : "ident", text, offset };
}

function integerToken(source: string, offset: number, [text = "", digits = "", suffix]: RegExpExecArray): Token {
  const value = BigInt(digits);
  if (suffix !== "") {
    if (value > maxUint) throw new CelCompileError(source, [{ offset, message: "Syntax error: invalid uint literal" }]);
    return { kind: "literal", text, offset, value: new CelUint(value) };
  }
  // One more than the largest int is let through: the parser needs it for the smallest one.
  if (value > maxInt + 1n) throw new CelCompileError(source, [{ offset, message: "Syntax error: invalid int literal" }]);
  return { kind: "literal", text, offset, value };
}

function stringToken(source: string, offset: number, [text = "", prefix = "", quoted = ""]: RegExpExecArray): Token {
  const quotes = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1;
  const body = quoted.slice(quotes, -quotes);
  const isBytes = /b/i.test(prefix);
  try {
    const value = /r/i.test(prefix) ? body : decodeEscapes(body, isBytes);
    return { kind: "literal", text, offset, value: isBytes ? toBytes(value, /r/i.test(prefix)) : value };
  } catch (err) {
    if (!(err instanceof RangeError)) throw err;
    throw new CelCompileError(source, [{ offset, message: `Syntax error: ${err.message}` }]);
  }
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
const escapePattern = /\\(x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[abfnrtv\\?"'`]|[\s\S])/g;

/** Bytes that are written as numbers become private-use code points in byte literals, until `toBytes` takes them apart. */
const byteMark = 0x10fe00;

function decodeEscapes(body: string, isBytes: boolean): string {
  return body.replace(escapePattern, (_all, code: string) => {
    const numeric = /^[xXuU]/.test(code) ? Number.parseInt(code.slice(1), 16) : /^\d/.test(code) ? Number.parseInt(code, 8) : undefined;
    if (numeric !== undefined) return String.fromCodePoint(isBytes && !/^[uU]/.test(code) ? byteMark + numeric : numeric);
    if (/^[\\?"'`]$/.test(code)) return code;
    const plain = escapes[code];
    if (plain === undefined) throw new RangeError(`unable to unescape string: \\${code}`);
    return plain;
  });
}

function toBytes(text: string, isRaw: boolean): Uint8Array {
  const encoder = new TextEncoder();
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (!isRaw && code >= byteMark && code < byteMark + 256) parts.push(code - byteMark);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}
