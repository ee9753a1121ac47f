// Regular expressions in RE2's syntax and linear time: for patterns that users write, as upstream compiles them.
import { RE2JS, RE2JSException } from "re2js";

/** The pattern is no regular expression; `message` is RE2's. */
export class Re2Error extends Error {
  readonly code = "ERR_RE2";
}

/** Patterns repeat; the cache starts anew when full, so that it cannot grow without bound. */
const cacheLimit = 512;
const cache = new Map<string, RE2JS>();

/** The compiled pattern, remembered. Throws Re2Error. */
export function compileRe2(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  try {
    const compiled = RE2JS.compile(pattern);
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(pattern, compiled);
    return compiled;
  } catch (cause) {
    if (cause instanceof RE2JSException) throw new Re2Error(cause.message, { cause });
    throw cause;
  }
}
