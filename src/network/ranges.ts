// Arithmetic on ranges of addresses of one family: networks with holes, for sets that must not overlap in themselves.
import ipaddr from "ipaddr.js";

/** Both ends belong to it. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly isIpv6: boolean;
}

/** The addresses of `10.0.0.0/8` or of a single address. */
export function rangeOf(network: string): AddressRange {
  const [text = "", prefixText] = network.split("/");
  const address = ipaddr.parse(text);
  const isIpv6 = address.kind() === "ipv6";
  const value = address.toByteArray().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const bits = BigInt(isIpv6 ? 128 : 32) - BigInt(prefixText ?? (isIpv6 ? 128 : 32));
  const first = (value >> bits) << bits;
  return { first, last: first + (1n << bits) - 1n, isIpv6 };
}

/** The same addresses, in order, with as few ranges as possible. */
export function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const previous = merged.at(-1);
    if (previous === undefined || range.first > previous.last + 1n) merged.push(range);
    else if (range.last > previous.last) merged[merged.length - 1] = { ...previous, last: range.last };
  }
  return merged;
}

/** What is left of `range` without `holes`. */
export function withoutRanges(range: AddressRange, holes: readonly AddressRange[]): AddressRange[] {
  const left: AddressRange[] = [];
  let first = range.first;
  for (const hole of mergeRanges(holes)) {
    if (hole.last < first || hole.first > range.last) continue;
    if (hole.first > first) left.push({ ...range, first, last: hole.first - 1n });
    first = hole.last + 1n;
  }
  if (first <= range.last) left.push({ ...range, first });
  return left;
}

/** As nft reads it: `10.0.0.0-10.0.0.255`, or one address. */
export function rangeText({ first, last, isIpv6 }: AddressRange): string {
  const text = (value: bigint) => addressText(value, isIpv6);
  return first === last ? text(first) : `${text(first)}-${text(last)}`;
}

function addressText(value: bigint, isIpv6: boolean): string {
  const length = isIpv6 ? 16 : 4;
  const bytes = Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}
