// Timestamps and durations: arithmetic, conversions and their parts.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, operator, overload } from "../functions.ts";
import { CelDuration, CelTimestamp, type DateParts } from "../time.ts";
import { checkedInt } from "./numbers.ts";

const nanosPer = { hour: 3_600_000_000_000n, minute: 60_000_000_000n, second: 1_000_000_000n, milli: 1_000_000n };

function dayOfYear({ year, month, day }: DateParts): number {
  return Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000);
}

const parts: Readonly<Record<string, (parts: DateParts) => number>> = {
  getFullYear: ({ year }) => year,
  getMonth: ({ month }) => month,
  getDayOfMonth: ({ day }) => day - 1,
  getDate: ({ day }) => day,
  getDayOfWeek: ({ weekday }) => weekday,
  getDayOfYear: dayOfYear,
  getHours: ({ hour }) => hour,
  getMinutes: ({ minute }) => minute,
  getSeconds: ({ second }) => second,
};

const accessors = Object.entries(parts).flatMap(([name, read]) => [
  overload(`timestamp.${name}() -> int`, (time: CelTimestamp) => BigInt(read(time.partsIn()))),
  overload(`timestamp.${name}(string) -> int`, (time: CelTimestamp, zone: string) => BigInt(read(time.partsIn(zone)))),
]);

const millisOf = ({ nanos }: CelTimestamp) => (((nanos / nanosPer.milli) % 1000n) + 1000n) % 1000n;

function fromSeconds(seconds: bigint): CelTimestamp {
  if (seconds > 10n ** 12n || seconds < -(10n ** 12n)) throw new CelEvaluationError("timestamp overflow");
  return new CelTimestamp(seconds * nanosPer.second);
}

/** The functions and operators of times. */
export const timeFunctions: readonly Overload[] = [
  overload("timestamp(timestamp) -> timestamp", (time: CelTimestamp) => time),
  overload("timestamp(string) -> timestamp", (text: string) => CelTimestamp.parse(text)),
  overload("timestamp(int) -> timestamp", fromSeconds),
  overload("duration(duration) -> duration", (duration: CelDuration) => duration),
  overload("duration(string) -> duration", (text: string) => CelDuration.parse(text)),
  overload("duration(int) -> duration", (nanos: bigint) => new CelDuration(nanos)),
  overload("string(timestamp) -> string", String),
  overload("string(duration) -> string", String),
  overload("int(timestamp) -> int", ({ nanos }: CelTimestamp) => checkedInt(nanos / nanosPer.second)),
  overload("int(duration) -> int", ({ nanos }: CelDuration) => checkedInt(nanos)),
  operator("_+_", "(timestamp, duration) -> timestamp", (a: CelTimestamp, b: CelDuration) => new CelTimestamp(a.nanos + b.nanos)),
  operator("_+_", "(duration, timestamp) -> timestamp", (a: CelDuration, b: CelTimestamp) => new CelTimestamp(a.nanos + b.nanos)),
  operator("_+_", "(duration, duration) -> duration", (a: CelDuration, b: CelDuration) => new CelDuration(a.nanos + b.nanos)),
  operator("_-_", "(timestamp, timestamp) -> duration", (a: CelTimestamp, b: CelTimestamp) => new CelDuration(a.nanos - b.nanos)),
  operator("_-_", "(timestamp, duration) -> timestamp", (a: CelTimestamp, b: CelDuration) => new CelTimestamp(a.nanos - b.nanos)),
  operator("_-_", "(duration, duration) -> duration", (a: CelDuration, b: CelDuration) => new CelDuration(a.nanos - b.nanos)),
  operator("-_", "(duration) -> duration", ({ nanos }: CelDuration) => new CelDuration(-nanos)),
  ...accessors,
  overload("timestamp.getMilliseconds() -> int", millisOf),
  overload("timestamp.getMilliseconds(string) -> int", millisOf),
  overload("duration.getHours() -> int", ({ nanos }: CelDuration) => nanos / nanosPer.hour),
  overload("duration.getMinutes() -> int", ({ nanos }: CelDuration) => nanos / nanosPer.minute),
  overload("duration.getSeconds() -> int", ({ nanos }: CelDuration) => nanos / nanosPer.second),
  overload("duration.getMilliseconds() -> int", ({ nanos }: CelDuration) => nanos / nanosPer.milli),
];
