// Optional values.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelList, CelOptional, CelUint, isMap } from "../values.ts";

function isZero(value: unknown): boolean {
  if (value instanceof CelList || isMap(value)) return value.size === 0;
  return (
    value === null || value === false || value === 0 || value === 0n || value === "" || (value instanceof CelUint && value.value === 0n)
  );
}

function dereference({ value }: CelOptional): unknown {
  if (value === undefined) throw new CelEvaluationError("optional.none() dereference");
  return value;
}

/** The functions of optional values; `optMap` and `optFlatMap` are macros. */
export const optionalFunctions: readonly Overload[] = [
  overload("optional.none() -> optional_type(A)", () => new CelOptional()),
  overload("optional.of(A) -> optional_type(A)", (value: unknown) => new CelOptional(value)),
  overload("optional.ofNonZeroValue(A) -> optional_type(A)", (value: unknown) =>
    isZero(value) ? new CelOptional() : new CelOptional(value),
  ),
  overload("optional_type(A).hasValue() -> bool", ({ hasValue }: CelOptional) => hasValue),
  overload("optional_type(A).value() -> A", dereference),
  overload("optional_type(A).orValue(A) -> A", ({ value }: CelOptional, other: unknown) => value ?? other),
  overload("optional_type(A).or(optional_type(A)) -> optional_type(A)", (first: CelOptional, other: CelOptional) =>
    first.hasValue ? first : other,
  ),
  overload("list(A).first() -> optional_type(A)", (list: CelList) => new CelOptional(list.at(0))),
  overload("list(A).last() -> optional_type(A)", (list: CelList) => new CelOptional(list.at(list.size - 1))),
];
