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

const HUGE_PAGES = "hugepages-";

/** The size of a page of a resource such as `hugepages-2Mi`; undefined for any other resource. */
export function hugePageBytes(resource: string): number | undefined {
  return resource.startsWith(HUGE_PAGES) ? wholeValue(resource.slice(HUGE_PAGES.length)) : undefined;
}
