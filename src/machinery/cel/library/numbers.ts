// Arithmetic with Go's limits, and the conversions between the kinds of numbers.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, operator, overload } from "../functions.ts";
import { CelUint } from "../values.ts";

const maxInt = 2n ** 63n - 1n;
const minInt = -(2n ** 63n);
const maxUint = 2n ** 64n - 1n;

/** The int, or an error when 64 bits do not hold it. */
export function checkedInt(value: bigint): bigint {
  if (value > maxInt || value < minInt) throw new CelEvaluationError("integer overflow");
  return value;
}

function checkedUint(value: bigint): CelUint {
  if (value > maxUint || value < 0n) throw new CelEvaluationError("unsigned integer overflow");
  return new CelUint(value);
}

function nonZero(value: bigint, message: string): bigint {
  if (value === 0n) throw new CelEvaluationError(message);
  return value;
}

function parseInteger(text: string, type: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new CelEvaluationError(`type conversion error from 'string' to '${type}'`);
  return BigInt(text.replace(/^\+/, ""));
}

function parseDouble(text: string): number {
  const special = /^([+-]?)(inf|infinity)$/i.exec(text);
  if (special !== null) return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  const value = text.trim() === text && text !== "" ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new CelEvaluationError("type conversion error from 'string' to 'double'");
  return value;
}

function truncate(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelEvaluationError("integer overflow");
  return BigInt(Math.trunc(value));
}

/** A double as Go's `%g`-like shortest form prints it. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  const text = String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

const arithmetic: Overload[] = [
  operator("_+_", "(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a + b)),
  operator("_-_", "(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a - b)),
  operator("_*_", "(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a * b)),
  operator("_/_", "(int, int) -> int", (a: bigint, b: bigint) => checkedInt(a / nonZero(b, "division by zero"))),
  operator("_%_", "(int, int) -> int", (a: bigint, b: bigint) => a % nonZero(b, "modulus by zero")),
  operator("-_", "(int) -> int", (a: bigint) => checkedInt(-a)),
  operator("_+_", "(uint, uint) -> uint", (a: CelUint, b: CelUint) => checkedUint(a.value + b.value)),
  operator("_-_", "(uint, uint) -> uint", (a: CelUint, b: CelUint) => checkedUint(a.value - b.value)),
  operator("_*_", "(uint, uint) -> uint", (a: CelUint, b: CelUint) => checkedUint(a.value * b.value)),
  operator("_/_", "(uint, uint) -> uint", (a: CelUint, b: CelUint) => new CelUint(a.value / nonZero(b.value, "division by zero"))),
  operator("_%_", "(uint, uint) -> uint", (a: CelUint, b: CelUint) => new CelUint(a.value % nonZero(b.value, "modulus by zero"))),
  operator("_+_", "(double, double) -> double", (a: number, b: number) => a + b),
  operator("_-_", "(double, double) -> double", (a: number, b: number) => a - b),
  operator("_*_", "(double, double) -> double", (a: number, b: number) => a * b),
  operator("_/_", "(double, double) -> double", (a: number, b: number) => a / b),
  operator("-_", "(double) -> double", (a: number) => -a),
];

const conversions: Overload[] = [
  overload("int(int) -> int", (value: bigint) => value),
  overload("int(uint) -> int", ({ value }: CelUint) => checkedInt(value)),
  overload("int(double) -> int", (value: number) => checkedInt(truncate(value))),
  overload("int(string) -> int", (text: string) => checkedInt(parseInteger(text, "int"))),
  overload("uint(uint) -> uint", (value: CelUint) => value),
  overload("uint(int) -> uint", (value: bigint) => checkedUint(value)),
  overload("uint(double) -> uint", (value: number) => checkedUint(truncate(value))),
  overload("uint(string) -> uint", (text: string) => checkedUint(parseInteger(text, "uint"))),
  overload("double(double) -> double", (value: number) => value),
  overload("double(int) -> double", (value: bigint) => Number(value)),
  overload("double(uint) -> double", ({ value }: CelUint) => Number(value)),
  overload("double(string) -> double", parseDouble),
  overload("string(int) -> string", String),
  overload("string(uint) -> string", String),
  overload("string(double) -> string", formatDouble),
];

/** The functions and operators of numbers. */
export const numberFunctions: readonly Overload[] = [...arithmetic, ...conversions];
