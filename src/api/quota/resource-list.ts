// Arithmetic on amounts by resource name, as quotas need it. Names that stand in only one list count as zero in the other.
import { parseQuantity, type Quantity } from "../../machinery/index.ts";

/** Quantities by resource name: `{ "requests.cpu": "500m", pods: "3" }`. */
export type ResourceList = Readonly<Record<string, string>>;

function combined(a: ResourceList, b: ResourceList, combine: (x: Quantity, y: Quantity) => Quantity): ResourceList {
  const result: Record<string, string> = {};
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    result[name] = combine(parseQuantity(a[name] ?? "0"), parseQuantity(b[name] ?? "0")).toString();
  }
  return result;
}

export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  return combined(a, b, (x, y) => x.add(y));
}

export function subtractLists(a: ResourceList, b: ResourceList): ResourceList {
  return combined(a, b, (x, y) => x.sub(y));
}

/** The entries whose names pass. */
export function pickNames(list: ResourceList, passes: (name: string) => boolean): ResourceList {
  return Object.fromEntries(Object.entries(list).filter(([name]) => passes(name)));
}

export function withoutZeros(list: ResourceList): ResourceList {
  return pickNames(list, (name) => !parseQuantity(list[name] ?? "0").isZero());
}

/** The names of amounts below zero, sorted. */
export function negativeNames(list: ResourceList): string[] {
  const names = Object.keys(list).filter((name) => parseQuantity(list[name] ?? "0").nanoValue() < 0n);
  return names.sort();
}

/** The names of amounts that are greater than their limit; what has no limit is never too much. */
export function exceedingNames(list: ResourceList, limits: ResourceList): string[] {
  return Object.keys(list).filter((name) => {
    const limit = limits[name];
    return limit !== undefined && parseQuantity(list[name] ?? "0").compare(parseQuantity(limit)) > 0;
  });
}

/** `cpu=500m,pods=1`, sorted by name. */
export function formatList(list: ResourceList): string {
  return Object.keys(list)
    .sort()
    .map((name) => `${name}=${list[name]}`)
    .join(",");
}
