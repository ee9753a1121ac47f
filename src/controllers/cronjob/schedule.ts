// The times of a cron schedule, as robfig/cron's standard parser reads it: five fields, descriptors, `@every <duration>`.
import { Cron } from "croner";

export interface Schedule {
  /** The first time after `ms`; undefined when there is none. */
  next(ms: number): number | undefined;
  /** The last time after `fromMs` and not after `untilMs`; undefined when there is none. */
  last(fromMs: number, untilMs: number): number | undefined;
}

/** Throws when the schedule cannot be read. Without a time zone it is UTC. */
export function parseSchedule(text: string, timeZone = "UTC"): Schedule {
  const every = /^@every\s+(.+)$/.exec(text)?.[1];
  return every === undefined ? cronSchedule(text, timeZone) : constantSchedule(Math.max(1000, durationMs(every)));
}

function cronSchedule(text: string, timeZone: string): Schedule {
  // To croner a question mark is the present time, to Kubernetes any.
  const cron = new Cron(text.replaceAll("?", "*"), { mode: "5-part", timezone: timeZone, sloppyRanges: true, paused: true });
  return {
    next: (ms) => cron.nextRun(new Date(ms))?.getTime(),
    last: (fromMs, untilMs) => {
      // A run at the reference itself is not among the previous ones.
      const [previous] = cron.previousRuns(1, new Date(untilMs + 1));
      return previous !== undefined && previous.getTime() > fromMs ? previous.getTime() : undefined;
    },
  };
}

/** Counts from the time it is asked about, in whole seconds. */
function constantSchedule(delayMs: number): Schedule {
  const whole = (ms: number) => ms - (ms % 1000);
  return {
    next: (ms) => whole(ms) + delayMs,
    last: (fromMs, untilMs) => {
      const times = Math.floor((untilMs - whole(fromMs)) / delayMs);
      return times < 1 ? undefined : whole(fromMs) + times * delayMs;
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration as Go writes it: `1h30m`. Throws on anything else. */
function durationMs(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) throw new RangeError(`failed to parse duration @every ${text}`);
  const wholeMs = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
  return wholeMs - (wholeMs % 1000);
}
