// Regular expressions, in RE2's syntax and linear time.
import { RE2JS, RE2JSException } from "re2js";
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelList } from "../values.ts";

/** Patterns repeat; the cache starts anew when full. */
const cacheLimit = 256;
const cache = new Map<string, RE2JS>();

/** The compiled pattern. Throws CelEvaluationError. */
export function compilePattern(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  try {
    const compiled = RE2JS.compile(pattern);
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(pattern, compiled);
    return compiled;
  } catch (cause) {
    if (cause instanceof RE2JSException) throw new CelEvaluationError(cause.message, { cause });
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
