// Equality and order of CEL values. Numbers of different kinds compare by their mathematical value.
import { CelEvaluationError } from "./errors.ts";
import { CelDuration, CelTimestamp } from "./time.ts";
import { CelHostObject, CelList, type CelMap, CelOptional, CelTypeValue, CelUint, isMap } from "./values.ts";

/** Whether both values are equal; values of different types are not. */
export function celEquals(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  const [a, b] = [numeric(left), numeric(right)];
  if (a !== undefined || b !== undefined) return a !== undefined && b !== undefined && compareNumbers(a, b) === 0;
  if (left instanceof CelList) return right instanceof CelList && listEquals(left, right);
  if (isMap(left)) return isMap(right) && mapEquals(left, right);
  if (left instanceof CelOptional && right instanceof CelOptional)
    return left.hasValue === right.hasValue && celEquals(left.value, right.value);
  if (left instanceof CelHostObject && right instanceof CelHostObject) return left.celType === right.celType && left.equals(right);
  if (left instanceof CelTypeValue) return right instanceof CelTypeValue && left.name === right.name;
  if (left instanceof CelTimestamp) return right instanceof CelTimestamp && left.nanos === right.nanos;
  if (left instanceof CelDuration) return right instanceof CelDuration && left.nanos === right.nanos;
  return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
}

function listEquals(left: CelList, right: CelList): boolean {
  if (left.size !== right.size) return false;
  const equality = left.type.equality ?? right.type.equality;
  if (equality === undefined) return [...left].every((item, index) => celEquals(item, right.at(index)));
  const others = [...right];
  return [...left].every((item) => others.some((other) => celEquals(item, other)));
}

function mapEquals(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size) return false;
  for (const key of left.keys()) {
    const other = right.get(key);
    if (other === undefined || !celEquals(left.get(key), other)) return false;
  }
  return true;
}

/** Negative, zero or positive, as `left` stands to `right`; NaN when one of them is NaN. */
export function celCompare(left: unknown, right: unknown): number {
  const [a, b] = [numeric(left), numeric(right)];
  if (a !== undefined && b !== undefined) return compareNumbers(a, b);
  if (typeof left === "string" && typeof right === "string") return compareStrings(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (left instanceof CelTimestamp && right instanceof CelTimestamp) return compareNumbers(left.nanos, right.nanos);
  if (left instanceof CelDuration && right instanceof CelDuration) return compareNumbers(left.nanos, right.nanos);
  throw new CelEvaluationError("no such overload");
}

function numeric(value: unknown): number | bigint | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof CelUint ? value.value : undefined;
}

function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By code points, as Go's byte order of UTF-8 does; UTF-16 units differ for characters beyond the first plane. */
function compareStrings(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
