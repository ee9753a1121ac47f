import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSchedule } from "./schedule.ts";
import { zonedTime } from "./zoned-time.ts";

const ms = (text: string) => Date.parse(text);
const text = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString().slice(0, 16));

describe("a cron schedule", () => {
  const cases: [schedule: string, after: string, next: string][] = [
    ["*/15 * * * *", "2026-03-01T10:07:00Z", "2026-03-01T10:15"],
    ["*/15 * * * *", "2026-03-01T10:15:00Z", "2026-03-01T10:30"],
    ["30 4 * * mon-fri", "2026-03-06T05:00:00Z", "2026-03-09T04:30"],
    ["0 0 13 * 5", "2026-03-01T00:00:00Z", "2026-03-06T00:00"],
    ["5/20 * * * ?", "2026-03-01T10:30:00Z", "2026-03-01T10:45"],
    ["@hourly", "2026-03-01T10:07:00Z", "2026-03-01T11:00"],
    ["@every 1h30m", "2026-03-01T10:07:00Z", "2026-03-01T11:37"],
  ];
  for (const [schedule, after, next] of cases) {
    it(`${schedule} comes after ${after} at ${next}`, () => {
      assert.equal(text(parseSchedule(schedule).next(ms(after))), next);
    });
  }

  it("tells the last time in a span, which does not contain its start", () => {
    const schedule = parseSchedule("*/5 * * * *");
    assert.equal(text(schedule.last(ms("2026-03-01T10:00:00Z"), ms("2026-03-01T10:12:00Z"))), "2026-03-01T10:10");
    assert.equal(text(schedule.last(ms("2026-03-01T10:00:00Z"), ms("2026-03-01T10:05:00Z"))), "2026-03-01T10:05");
    assert.equal(schedule.last(ms("2026-03-01T10:10:00Z"), ms("2026-03-01T10:12:00Z")), undefined);
    const every = parseSchedule("@every 5m");
    assert.equal(text(every.last(ms("2026-03-01T10:02:00Z"), ms("2026-03-01T10:13:00Z"))), "2026-03-01T10:12");
    assert.equal(every.last(ms("2026-03-01T10:02:00Z"), ms("2026-03-01T10:06:00Z")), undefined);
  });

  it("runs by the clock of its time zone, also over a change to summer time", () => {
    const schedule = parseSchedule("0 9 * * *", "Europe/Berlin");
    assert.equal(text(schedule.next(ms("2026-03-28T00:00:00Z"))), "2026-03-28T08:00");
    assert.equal(text(schedule.next(ms("2026-03-29T00:00:00Z"))), "2026-03-29T07:00");
    assert.equal(zonedTime(ms("2026-03-29T07:00:00Z"), "Europe/Berlin"), "2026-03-29T09:00:00+02:00");
    assert.equal(zonedTime(ms("2026-03-29T07:00:00Z")), "2026-03-29T07:00:00Z");
  });

  it("that cannot be read is an error", () => {
    for (const schedule of ["@every x", "61 * * * *", "* * * *"]) assert.throws(() => parseSchedule(schedule));
  });
});
