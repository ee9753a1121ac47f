// What CEL itself defines beside numbers, strings and times: equality, order, logic, membership, size, types.
import { celCompare, celEquals } from "../equality.ts";
import { CelEvaluationError } from "../errors.ts";
import { type Overload, operator, overload } from "../functions.ts";
import { CelList, type CelMap, CelTypeValue, typeNameOf } from "../values.ts";
import { codePoints, traversalCost } from "./strings.ts";

const never = (): never => {
  throw new CelEvaluationError("no such overload");
};

/** Operators with a short cut are the evaluator's; the checker needs their signatures. */
const shortCuts: Overload[] = [
  operator("_&&_", "(bool, bool) -> bool", never),
  operator("_||_", "(bool, bool) -> bool", never),
  operator("_?_:_", "(bool, A, A) -> A", never),
];

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  "_<_": (order) => order < 0,
  "_<=_": (order) => order <= 0,
  "_>_": (order) => order > 0,
  "_>=_": (order) => order >= 0,
};
const ordered = ["bool", "string", "bytes", "timestamp", "duration"];
const numbers = ["int", "uint", "double"];
const orderedPairs = [...ordered.map((type) => [type, type]), ...numbers.flatMap((left) => numbers.map((right) => [left, right]))];

const comparisons = Object.entries(orders).flatMap(([name, holds]) =>
  orderedPairs.map(([left, right]) =>
    operator(name, `(${left}, ${right}) -> bool`, (a: unknown, b: unknown) => holds(celCompare(a, b)), smallerSizeCost),
  ),
);

function smallerSizeCost(left: unknown, right: unknown): number {
  return Math.min(traversalCost(left), traversalCost(right));
}

function concatenate(left: CelList, right: CelList): CelList {
  const { equality } = left.type;
  if (equality === undefined) return CelList.of([...left, ...right], left.type);
  if (equality.by === "set")
    return CelList.of([...left, ...[...right].filter((item) => ![...left].some((other) => celEquals(item, other)))], left.type);
  const isSame = (a: unknown, b: unknown) => equality.keys.every((key) => celEquals((a as CelMap).get(key), (b as CelMap).get(key)));
  const kept = [...left].map((item) => [...right].find((other) => isSame(item, other)) ?? item);
  return CelList.of([...kept, ...[...right].filter((item) => ![...left].some((other) => isSame(item, other)))], left.type);
}

/** The functions and operators of every environment. */
export const standardFunctions: readonly Overload[] = [
  ...shortCuts,
  ...comparisons,
  operator("_==_", "(A, A) -> bool", celEquals, smallerSizeCost),
  operator("_!=_", "(A, A) -> bool", (a: unknown, b: unknown) => !celEquals(a, b), smallerSizeCost),
  operator("!_", "(bool) -> bool", (value: boolean) => !value),
  operator(
    "@in",
    "(A, list(A)) -> bool",
    (item: unknown, list: CelList) => [...list].some((other) => celEquals(item, other)),
    (_item: unknown, list: CelList) => list.size,
  ),
  operator("@in", "(A, map(A, B)) -> bool", (key: unknown, map: CelMap) => map.get(key) !== undefined),
  operator("_+_", "(list(A), list(A)) -> list(A)", concatenate, (a: CelList, b: CelList) => (a.size + b.size) / 10),
  overload("size(string) -> int", (text: string) => BigInt(codePoints(text)), traversalCost),
  overload("size(bytes) -> int", (bytes: Uint8Array) => BigInt(bytes.length)),
  overload("size(list(A)) -> int", (list: CelList) => BigInt(list.size)),
  overload("size(map(A, B)) -> int", (map: CelMap) => BigInt(map.size)),
  overload("string.size() -> int", (text: string) => BigInt(codePoints(text)), traversalCost),
  overload("bytes.size() -> int", (bytes: Uint8Array) => BigInt(bytes.length)),
  overload("list(A).size() -> int", (list: CelList) => BigInt(list.size)),
  overload("map(A, B).size() -> int", (map: CelMap) => BigInt(map.size)),
  overload("type(dyn) -> type", (value: unknown) => new CelTypeValue(typeNameOf(value))),
  overload("dyn(A) -> dyn", (value: unknown) => value),
  overload("bool(bool) -> bool", (value: boolean) => value),
  overload("bool(string) -> bool", (text: string) => {
    if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
    if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
    throw new CelEvaluationError("type conversion error from 'string' to 'bool'");
  }),
];
