// Resource quantities as plain numbers, which is all that shares, limits and sums on a node need.
import { quantityMilli, quantityValue } from "../../machinery/index.ts";

/** Thousandths, rounded up: the unit of CPU. Undefined counts as 0. */
export function milliValue(text: string | undefined): number {
  return text === undefined ? 0 : quantityMilli(text);
}

/** Whole units, rounded up: the unit of memory and counts. Undefined counts as 0. */
export function wholeValue(text: string | undefined): number {
  return text === undefined ? 0 : quantityValue(text);
}
