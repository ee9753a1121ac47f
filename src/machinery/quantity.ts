// resource.Quantity: exact numbers with SI suffixes, in upstream's canonical form.
// @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export class QuantityError extends Error {
  readonly code = "ERR_QUANTITY";
}

/** The finest step that a quantity has is 10⁻⁹; amounts are kept in it. */
const nanoPerUnit = 1_000_000_000n;
const nanoPerMilli = 1_000_000n;
/** Upstream caps amounts at the largest int64. */
const maxNano = (2n ** 63n - 1n) * nanoPerUnit;

const pattern = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const syntaxMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** An immutable amount. */
export class Quantity {
  readonly #nano: bigint;
  readonly format: QuantityFormat;

  constructor(nano: bigint, format: QuantityFormat) {
    this.#nano = nano;
    this.format = format;
  }

  /** In whole units, rounded away from zero. */
  value(): number {
    return Number(divideAway(this.#nano, nanoPerUnit));
  }

  /** In thousandths, rounded away from zero. */
  milliValue(): number {
    return Number(divideAway(this.#nano, nanoPerMilli));
  }

  /** In billionths, exactly. */
  nanoValue(): bigint {
    return this.#nano;
  }

  /** Negative, zero or positive, as `this` is less than, equal to or greater than `other`. */
  compare(other: Quantity): number {
    return this.#nano < other.#nano ? -1 : this.#nano > other.#nano ? 1 : 0;
  }

  add(other: Quantity): Quantity {
    return new Quantity(this.#nano + other.#nano, this.isZero() ? other.format : this.format);
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.#nano - other.#nano, this.isZero() ? other.format : this.format);
  }

  isZero(): boolean {
    return this.#nano === 0n;
  }

  /** The canonical form: no fraction, the largest suffix that allows this. */
  toString(): string {
    const units = this.#nano / nanoPerUnit;
    const isWhole = this.#nano % nanoPerUnit === 0n;
    const isSmall = units > -1024n && units < 1024n;
    return this.format === "BinarySI" && isWhole && !isSmall ? binaryText(units) : decimalText(this.#nano, this.format);
  }

  toJSON(): string {
    return this.toString();
  }
}

function divideAway(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (dividend % divisor === 0n) return quotient;
  return dividend > 0n ? quotient + 1n : quotient - 1n;
}

function binaryText(units: bigint): string {
  let power = 0;
  while (power < binarySuffixes.length - 1 && units % 1024n === 0n) {
    units /= 1024n;
    power++;
  }
  return `${units}${binarySuffixes[power]}`;
}

function decimalText(nano: bigint, format: QuantityFormat): string {
  if (nano === 0n) return "0";
  let exponent = -9;
  while (nano % 1000n === 0n && exponent < 18) {
    nano /= 1000n;
    exponent += 3;
  }
  if (format !== "DecimalExponent") return `${nano}${decimalSuffixes.get(exponent) ?? ""}`;
  return exponent === 0 ? `${nano}` : `${nano}e${exponent}`;
}

/** Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  if (text === "") throw new QuantityError(syntaxMessage);
  const match = pattern.exec(text);
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match ?? [];
  if (match === null || (whole === "" && fraction === "")) throw new QuantityError(syntaxMessage);
  const { base, exponent, format } = parseSuffix(suffix);
  const digits = BigInt(whole + fraction);
  let nano = 0n;
  if (base === 2) nano = divideAway(digits * 2n ** BigInt(exponent) * nanoPerUnit, 10n ** BigInt(fraction.length));
  else if (digits !== 0n) nano = shiftDecimal(digits, exponent + 9 - fraction.length);
  if (nano > maxNano) nano = maxNano;
  // Upstream shows what is less than one in decimal form, to avoid rounding.
  const shown = format === "BinarySI" && nano > 0n && nano < nanoPerUnit ? "DecimalSI" : format;
  return new Quantity(sign === "-" ? -nano : nano, shown);
}

/** `digits` · 10^`power`, rounded away from zero, without computing absurd powers. */
function shiftDecimal(digits: bigint, power: number): bigint {
  if (power >= 0) return power > 40 ? maxNano : digits * 10n ** BigInt(power);
  const length = digits.toString().length;
  return -power > length ? 1n : divideAway(digits, 10n ** BigInt(-power));
}

function parseSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { base: 2, exponent: binary * 10, format: "BinarySI" };
  const scientific = /^[eE]([-+]?[0-9]+)$/.exec(suffix);
  if (scientific === null) throw new QuantityError("unable to parse quantity's suffix");
  return { base: 10, exponent: Number(scientific[1]), format: "DecimalExponent" };
}

interface Scaled {
  readonly value: number;
  readonly milli: number;
}

/** Pods repeat a few texts thousands of times; the cache starts anew when full, so that it cannot grow without bound. */
const cacheLimit = 4096;
const cache = new Map<string, Scaled>();

function scaled(text: string): Scaled {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const quantity = parseQuantity(text);
  const entry = { value: quantity.value(), milli: quantity.milliValue() };
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(text, entry);
  return entry;
}

/** `parseQuantity(text).milliValue()`, remembered. */
export function quantityMilli(text: string | number): number {
  return typeof text === "number" ? Math.ceil(text * 1000) : scaled(text).milli;
}

/** `parseQuantity(text).value()`, remembered. */
export function quantityValue(text: string | number): number {
  return typeof text === "number" ? Math.ceil(text) : scaled(text).value;
}

/** The quantity of that name. Names are what clients choose, also those of members that every JavaScript object has. */
export function amountOf(list: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return list !== undefined && Object.hasOwn(list, name) ? list[name] : undefined;
}
