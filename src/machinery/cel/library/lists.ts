// Lists: Kubernetes' functions (sum, min, max, isSorted, indexOf), CEL's extension `lists`, and `sets`.
import { celCompare, celEquals } from "../equality.ts";
import { CelEvaluationError } from "../errors.ts";
import { type Implementation, type Overload, overload } from "../functions.ts";
import { CelDuration } from "../time.ts";
import { CelList, CelUint } from "../values.ts";
import { checkedInt } from "./numbers.ts";

const sizeCost = (list: CelList) => list.size;
const pairCost = (a: CelList, b: CelList) => a.size * b.size;
const comparable = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

function isSorted(list: CelList): boolean {
  const items = [...list];
  return items.every((item, index) => index === 0 || celCompare(items[index - 1], item) <= 0);
}

function extreme(list: CelList, sign: number, name: string): unknown {
  const [first, ...others] = list;
  if (first === undefined) throw new CelEvaluationError(`${name} called on empty list`);
  return others.reduce((best, item) => (celCompare(item, best) * sign > 0 ? item : best), first);
}

const sums: readonly (readonly [string, (items: readonly unknown[]) => unknown])[] = [
  ["int", (items) => (items as bigint[]).reduce((sum, item) => checkedInt(sum + item), 0n)],
  ["uint", (items) => new CelUint((items as CelUint[]).reduce((sum, { value }) => sum + value, 0n))],
  ["double", (items) => (items as number[]).reduce((sum, item) => sum + item, 0)],
  ["duration", (items) => new CelDuration((items as CelDuration[]).reduce((sum, { nanos }) => sum + nanos, 0n))],
];

/** The overload of a list of anything is last: it looks at the first element for the type. */
function sumOfAnything(list: CelList): unknown {
  const items = [...list];
  const index = typeof items[0] === "number" ? 2 : items[0] instanceof CelUint ? 1 : items[0] instanceof CelDuration ? 3 : 0;
  return sums[index]?.[1](items);
}

const typed = (name: string, result: (type: string) => string, implementation: Implementation) =>
  comparable.map((type) => overload(`list(${type}).${name}() -> ${result(type)}`, implementation, sizeCost));

const distinct = (list: CelList) => {
  const kept: unknown[] = [];
  for (const item of list) if (!kept.some((other) => celEquals(other, item))) kept.push(item);
  return CelList.of(kept);
};

function slice(list: CelList, start: bigint, end: bigint): CelList {
  if (start < 0n || end < 0n) throw new CelEvaluationError(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end) throw new CelEvaluationError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > list.size) throw new CelEvaluationError(`cannot slice(${start}, ${end}), list is length ${list.size}`);
  return CelList.of([...list].slice(Number(start), Number(end)));
}

function flatten(list: CelList, depth: bigint): CelList {
  if (depth < 0n) throw new CelEvaluationError("level must be non-negative");
  const flat = (item: unknown, level: bigint): unknown[] =>
    item instanceof CelList && level > 0n ? [...item].flatMap((inner) => flat(inner, level - 1n)) : [item];
  return CelList.of([...list].flatMap((item) => flat(item, depth)));
}

const contains = (list: CelList, items: CelList) => [...items].every((item) => [...list].some((other) => celEquals(item, other)));
const findIndex = (list: CelList, item: unknown) => BigInt([...list].findIndex((other) => celEquals(other, item)));
const findLastIndex = (list: CelList, item: unknown) => BigInt([...list].findLastIndex((other) => celEquals(other, item)));

/** The functions of lists and sets. */
export const listFunctions: readonly Overload[] = [
  ...typed("isSorted", () => "bool", isSorted),
  ...typed(
    "min",
    (type) => type,
    (list: CelList) => extreme(list, -1, "min"),
  ),
  ...typed(
    "max",
    (type) => type,
    (list: CelList) => extreme(list, 1, "max"),
  ),
  ...typed(
    "sort",
    (type) => `list(${type})`,
    (list: CelList) => CelList.of([...list].sort(celCompare)),
  ),
  ...sums.map(([type]) => overload(`list(${type}).sum() -> ${type}`, sumOfAnything, sizeCost)),
  overload("list(A).indexOf(A) -> int", findIndex, sizeCost),
  overload("list(A).lastIndexOf(A) -> int", findLastIndex, sizeCost),
  overload("list(A).distinct() -> list(A)", distinct, (list: CelList) => list.size ** 2),
  overload("list(A).reverse() -> list(A)", (list: CelList) => CelList.of([...list].reverse(), list.type), sizeCost),
  overload("list(A).slice(int, int) -> list(A)", slice, sizeCost),
  overload("list(dyn).flatten() -> list(dyn)", (list: CelList) => flatten(list, 1n), sizeCost),
  overload("list(dyn).flatten(int) -> list(dyn)", flatten, sizeCost),
  overload(
    "lists.range(int) -> list(int)",
    (end: bigint) => CelList.of(Array.from({ length: Math.min(Number(end), 1_000_000) }, (_, index) => BigInt(index))),
    Number,
  ),
  overload("sets.contains(list(A), list(A)) -> bool", contains, pairCost),
  overload("sets.equivalent(list(A), list(A)) -> bool", (a: CelList, b: CelList) => contains(a, b) && contains(b, a), pairCost),
  overload(
    "sets.intersects(list(A), list(A)) -> bool",
    (a: CelList, b: CelList) => [...a].some((item) => [...b].some((other) => celEquals(item, other))),
    pairCost,
  ),
];
