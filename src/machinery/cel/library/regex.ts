// Regular expressions, in RE2's syntax and linear time.
import type { RE2JS } from "re2js";
import { compileRe2, Re2Error } from "../../re2.ts";
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelList } from "../values.ts";

function compilePattern(pattern: string): RE2JS {
  try {
    return compileRe2(pattern);
  } catch (cause) {
    if (cause instanceof Re2Error) throw new CelEvaluationError(cause.message, { cause });
    throw cause;
  }
}

function find(text: string, pattern: string): string {
  const matcher = compilePattern(pattern).matcher(text);
  return matcher.find() ? (matcher.group() ?? "") : "";
}

function findAll(text: string, pattern: string, limit = -1n): CelList {
  const matcher = compilePattern(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || found.length < limit) && matcher.find()) found.push(matcher.group() ?? "");
  return CelList.of(found);
}

const matches = (text: string, pattern: string) => compilePattern(pattern).matcher(text).find();
/** Upstream's: the text a tenth, the pattern a quarter per character. */
const cost = (text: string, pattern: string) => Math.ceil(1 + text.length / 10) * Math.max(1, Math.ceil(pattern.length / 4));

/** The functions of regular expressions. */
export const regexFunctions: readonly Overload[] = [
  overload("matches(string, string) -> bool", matches, cost),
  overload("string.matches(string) -> bool", matches, cost),
  overload("string.find(string) -> string", find, cost),
  overload("string.findAll(string) -> list(string)", (text: string, pattern: string) => findAll(text, pattern), cost),
  overload("string.findAll(string, int) -> list(string)", findAll, cost),
];
