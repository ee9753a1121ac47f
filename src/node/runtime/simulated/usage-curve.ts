// How much of something is used over a container's life: one value, or steps.

export interface UsageStep {
  /** Since the container's start. */
  readonly fromMs: number;
  readonly value: number;
}

/** A constant, or steps in the order of their time; 0 before the first. */
export type UsageCurve = number | readonly UsageStep[];

/** `0.5`, or `0.1,60:2,120:0.5`: from each number of seconds on that value. Undefined for what is neither. */
export function parseUsageCurve(text: string): UsageCurve | undefined {
  const constant = text === "" ? Number.NaN : Number(text);
  if (!Number.isNaN(constant)) return constant;
  const steps = text.split(",").map((part): UsageStep => {
    const [seconds, value] = part.includes(":") ? part.split(":") : ["0", part];
    return { fromMs: Number(seconds) * 1_000, value: value === "" ? Number.NaN : Number(value) };
  });
  const isOrdered = steps.every(({ fromMs, value }, index) => value >= 0 && fromMs >= (steps[index - 1]?.fromMs ?? 0));
  return isOrdered ? steps : undefined;
}

/** What is used `atMs` after the start. */
export function valueAt(curve: UsageCurve, atMs: number): number {
  if (typeof curve === "number") return curve;
  return curve.findLast(({ fromMs }) => fromMs <= atMs)?.value ?? 0;
}

/** The sum over the first `untilMs`: value × milliseconds. */
export function totalUntil(curve: UsageCurve, untilMs: number): number {
  if (typeof curve === "number") return curve * untilMs;
  return curve.reduce((sum, { fromMs, value }, index) => {
    const endMs = Math.min(untilMs, curve[index + 1]?.fromMs ?? untilMs);
    return sum + value * Math.max(0, endMs - fromMs);
  }, 0);
}
