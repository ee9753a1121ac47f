// intstr.IntOrString: a number, or a percentage of a total.

export type IntOrString = number | string;

export class IntOrStringError extends Error {
  readonly code = "ERR_INT_OR_STRING";
}

/** The number itself, or the percentage of `total`, rounded down unless `roundUp`. Throws IntOrStringError. */
export function scaledValue(intOrPercent: IntOrString, total: number, { roundUp = false }: { roundUp?: boolean } = {}): number {
  if (typeof intOrPercent === "number") return intOrPercent;
  const percent = percentOf(intOrPercent);
  return roundUp ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}

/** 25 for `25%`. Throws IntOrStringError. */
export function percentOf(text: string): number {
  if (!text.endsWith("%")) {
    throw new IntOrStringError("invalid value for IntOrString: invalid type: string is not a percentage");
  }
  const digits = text.slice(0, -1);
  if (!/^[-+]?[0-9]+$/.test(digits)) {
    const cause = `strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`;
    throw new IntOrStringError(`invalid value for IntOrString: invalid value ${JSON.stringify(text)}: ${cause}`);
  }
  return Number(digits);
}
