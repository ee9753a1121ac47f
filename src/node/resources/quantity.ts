// Resource quantities as plain numbers, which is all that shares, limits and sums on a node need.

const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const QUANTITY = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/;

/** The value of a quantity such as `500m` or `1Gi`; undefined counts as 0. Validation has seen the text before. */
export function quantityValue(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = QUANTITY.exec(text);
  const factor = SUFFIXES[match?.[2] ?? ""];
  return match === null || factor === undefined ? 0 : Number(match[1]) * factor;
}

/** Thousandths, rounded up: the unit of CPU. */
export function milliValue(text: string | undefined): number {
  return Math.ceil(roundNoise(quantityValue(text) * 1000));
}

/** Whole units, rounded up: the unit of memory and counts. */
export function wholeValue(text: string | undefined): number {
  return Math.ceil(roundNoise(quantityValue(text)));
}

/** 0.1 + 0.2 must not round up to the next whole. */
function roundNoise(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : value;
}
