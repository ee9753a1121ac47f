// Numbers that are only known to lie between two others: how much an expression may cost, how large a value may be. What has no
// limit is Infinity.

/** Both ends are possible. */
export interface CostRange {
  readonly min: number;
  readonly max: number;
}

export const zero: CostRange = { min: 0, max: 0 };
export const one: CostRange = { min: 1, max: 1 };
export const unknown: CostRange = { min: 0, max: Number.POSITIVE_INFINITY };

export function exactly(value: number): CostRange {
  return { min: value, max: value };
}

export function sum(...ranges: readonly CostRange[]): CostRange {
  return ranges.reduce((left, right) => ({ min: left.min + right.min, max: left.max + right.max }), zero);
}

/** Nothing without limit is still nothing. */
function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : left * right;
}

export function product(left: CostRange, right: CostRange): CostRange {
  return { min: times(left.min, right.min), max: times(left.max, right.max) };
}

/** Rounded up, as upstream does after every step. */
export function scaled({ min, max }: CostRange, factor: number): CostRange {
  return { min: Math.ceil(times(min, factor)), max: Math.ceil(times(max, factor)) };
}

/** Either of them. */
export function either(left: CostRange, right: CostRange): CostRange {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}
