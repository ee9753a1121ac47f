// Timestamps and durations in nanoseconds, as CEL (and Go) read and write them.
import { CelEvaluationError } from "./errors.ts";

const secondNanos = 1_000_000_000n;
const unitNanos: Readonly<Record<string, bigint>> = {
  h: 3600n * secondNanos,
  m: 60n * secondNanos,
  s: secondNanos,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z, in seconds. */
const minSeconds = -62_135_596_800n;
const maxSeconds = 253_402_300_799n;
const maxDurationNanos = 2n ** 63n;

/** A span of time. */
export class CelDuration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    if (nanos >= maxDurationNanos || nanos < -maxDurationNanos) throw new CelEvaluationError("duration overflow");
    this.nanos = nanos;
  }

  /** Reads `1h30m`, `-1.5s`. */
  static parse(text: string): CelDuration {
    const body = text.replace(/^[+-]/, "");
    if (body === "0") return new CelDuration(0n);
    const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(h|ms|us|µs|ns|m|s)/g)];
    if (parts.length === 0 || parts.map((part) => part[0]).join("") !== body)
      throw new CelEvaluationError(`time: invalid duration ${JSON.stringify(text)}`);
    const nanos = parts.reduce((sum, [, amount = "0", unit = "s"]) => sum + scaled(amount, unitNanos[unit] ?? 1n), 0n);
    return new CelDuration(text.startsWith("-") ? -nanos : nanos);
  }

  /** Seconds with a fraction: `5400s`. */
  toString(): string {
    const sign = this.nanos < 0n ? "-" : "";
    const nanos = this.nanos < 0n ? -this.nanos : this.nanos;
    return `${sign}${nanos / secondNanos}${fraction(nanos % secondNanos)}s`;
  }
}

function scaled(amount: string, unit: bigint): bigint {
  const [whole = "0", part = ""] = amount.split(".");
  return BigInt(whole || "0") * unit + (part === "" ? 0n : (BigInt(part) * unit) / 10n ** BigInt(part.length));
}

function fraction(nanos: bigint): string {
  return nanos === 0n ? "" : `.${nanos.toString().padStart(9, "0").replace(/0+$/, "")}`;
}

/** The parts of a point in time in some time zone. */
export interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** A point in time, counted from 1970. */
export class CelTimestamp {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    const seconds = nanos / secondNanos;
    if (seconds < minSeconds || seconds > maxSeconds) throw new CelEvaluationError("timestamp overflow");
    this.nanos = nanos;
  }

  /** Reads RFC 3339. */
  static parse(text: string): CelTimestamp {
    const parts = rfc3339.exec(text);
    const millis = parts === null ? Number.NaN : Date.parse(`${text.slice(0, 19).toUpperCase()}Z`);
    if (parts === null || Number.isNaN(millis)) throw new CelEvaluationError(`invalid RFC 3339 timestamp ${JSON.stringify(text)}`);
    const [part = "", sign = "+", hours = "0", minutes = "0"] = parts.slice(7);
    const offset = BigInt(sign === "-" ? -1 : 1) * (BigInt(hours) * 3600n + BigInt(minutes) * 60n);
    return new CelTimestamp(BigInt(millis) * 1_000_000n - offset * secondNanos + BigInt(part.padEnd(9, "0")));
  }

  get millis(): number {
    return Number(this.nanos / 1_000_000n);
  }

  toString(): string {
    const nanos = ((this.nanos % secondNanos) + secondNanos) % secondNanos;
    const seconds = (this.nanos - nanos) / secondNanos;
    return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
  }

  /** The parts in a zone: a name (`Europe/Berlin`), an offset (`+02:00`), or UTC. */
  partsIn(zone = "UTC"): DateParts {
    const offset = /^([+-])?(\d\d):(\d\d)$/.exec(zone);
    if (offset === null) return this.#partsByName(zone);
    const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === "-" ? -1 : 1);
    return new CelTimestamp(this.nanos + BigInt(minutes) * 60n * secondNanos).#partsByName("UTC");
  }

  #partsByName(zone: string): DateParts {
    const parts = new Map(
      formatIn(zone)
        .formatToParts(this.millis)
        .map(({ type, value }) => [type, value]),
    );
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type) ?? 0);
    const [year, month, day] = [number("year"), number("month") - 1, number("day")];
    const weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(parts.get("weekday") ?? "");
    return { year, month, day, weekday, hour: number("hour"), minute: number("minute"), second: number("second") };
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      weekday: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    throw new CelEvaluationError(`unknown time zone ${timeZone}`, { cause });
  }
}
