// Strings: CEL's own functions and the extension `strings`. Positions count code points, as in Go.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, operator, overload } from "../functions.ts";
import { CelList } from "../values.ts";
import { formatText } from "./format-text.ts";

/** A tenth for each character, byte or element: upstream's factor for going through data once. */
export function traversalCost(value: unknown): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length / 10 : 1;
}

/** How many code points the text has. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const pairCost = (a: string, b: string) => (a.length + b.length) / 10;

function indexOf(text: string, search: string, from = 0n): bigint {
  const characters = [...text];
  if (from < 0n || from > characters.length) throw outOfRange(from);
  const found = characters.slice(Number(from)).join("").indexOf(search);
  return found < 0 ? -1n : from + BigInt(codePoints(characters.slice(Number(from)).join("").slice(0, found)));
}

function lastIndexOf(text: string, search: string, until?: bigint): bigint {
  const characters = [...text];
  if (until !== undefined && (until < 0n || until > characters.length)) throw outOfRange(until);
  const last = Math.min(until === undefined ? characters.length : Number(until), characters.length - codePoints(search));
  for (let position = last; position >= 0; position--) if (characters.slice(position).join("").startsWith(search)) return BigInt(position);
  return -1n;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = [...text];
  const stop = end ?? BigInt(characters.length);
  if (start < 0n || start > characters.length) throw outOfRange(start);
  if (stop < 0n || stop > characters.length) throw outOfRange(stop);
  if (start > stop) throw new CelEvaluationError(`invalid substring range. start: ${start}, end: ${stop}`);
  return characters.slice(Number(start), Number(stop)).join("");
}

function outOfRange(position: bigint): CelEvaluationError {
  return new CelEvaluationError(`index out of range: ${position}`);
}

function charAt(text: string, position: bigint): string {
  const characters = [...text];
  if (position < 0n || position > characters.length) throw outOfRange(position);
  return characters[Number(position)] ?? "";
}

function split(text: string, separator: string, limit = -1n): CelList {
  if (limit === 0n) return CelList.of([]);
  const parts = separator === "" ? [...text] : text.split(separator);
  if (limit < 0n || parts.length <= limit) return CelList.of(parts);
  const kept = Number(limit) - 1;
  return CelList.of([...parts.slice(0, kept), parts.slice(kept).join(separator)]);
}

function replace(text: string, from: string, to: string, limit = -1n): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  for (let count = 0n, at = 0; count < limit; count++) {
    const found = text.indexOf(from, at);
    if (found < 0) break;
    text = text.slice(0, found) + to + text.slice(found + from.length);
    at = found + to.length;
  }
  return text;
}

const ascii = (pattern: RegExp, change: (text: string) => string) => (text: string) => text.replace(pattern, change);
const join = (list: CelList, separator = "") => [...list].join(separator);

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CelEvaluationError("invalid UTF-8 in bytes, cannot convert to string", { cause });
  }
}

/** The functions and operators of strings and bytes. */
export const stringFunctions: readonly Overload[] = [
  operator("_+_", "(string, string) -> string", (a: string, b: string) => a + b, pairCost),
  operator(
    "_+_",
    "(bytes, bytes) -> bytes",
    (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]),
    (a: Uint8Array, b: Uint8Array) => (a.length + b.length) / 10,
  ),
  overload("string(string) -> string", (text: string) => text),
  overload("string(bool) -> string", String),
  overload("string(bytes) -> string", decode, traversalCost),
  overload("bytes(string) -> bytes", (text: string) => new TextEncoder().encode(text), traversalCost),
  overload("bytes(bytes) -> bytes", (bytes: Uint8Array) => bytes),
  overload("string.contains(string) -> bool", (text: string, part: string) => text.includes(part), pairCost),
  overload("string.startsWith(string) -> bool", (text: string, part: string) => text.startsWith(part), pairCost),
  overload("string.endsWith(string) -> bool", (text: string, part: string) => text.endsWith(part), pairCost),
  overload("string.charAt(int) -> string", charAt, traversalCost),
  overload("string.indexOf(string) -> int", (text: string, part: string) => indexOf(text, part), pairCost),
  overload("string.indexOf(string, int) -> int", indexOf, pairCost),
  overload("string.lastIndexOf(string) -> int", (text: string, part: string) => lastIndexOf(text, part), pairCost),
  overload("string.lastIndexOf(string, int) -> int", lastIndexOf, pairCost),
  overload(
    "string.lowerAscii() -> string",
    ascii(/[A-Z]+/g, (part) => part.toLowerCase()),
    traversalCost,
  ),
  overload(
    "string.upperAscii() -> string",
    ascii(/[a-z]+/g, (part) => part.toUpperCase()),
    traversalCost,
  ),
  overload("string.replace(string, string) -> string", (text: string, from: string, to: string) => replace(text, from, to), traversalCost),
  overload("string.replace(string, string, int) -> string", replace, traversalCost),
  overload("string.split(string) -> list(string)", (text: string, separator: string) => split(text, separator), traversalCost),
  overload("string.split(string, int) -> list(string)", split, traversalCost),
  overload("string.substring(int) -> string", (text: string, start: bigint) => substring(text, start), traversalCost),
  overload("string.substring(int, int) -> string", substring, traversalCost),
  overload("string.trim() -> string", (text: string) => text.trim(), traversalCost),
  overload("string.reverse() -> string", (text: string) => [...text].reverse().join(""), traversalCost),
  overload(
    "list(string).join() -> string",
    (list: CelList) => join(list),
    (list: CelList) => list.size,
  ),
  overload("list(string).join(string) -> string", join, (list: CelList) => list.size),
  overload("string.format(list(dyn)) -> string", formatText, traversalCost),
  overload("strings.quote(string) -> string", (text: string) => JSON.stringify(text), traversalCost),
];
