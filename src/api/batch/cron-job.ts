// CronJob: defaults, validation, columns. The schedule itself is read by its controller.
import { type FieldError, field } from "../../machinery/index.ts";
import { selectorText } from "../apps/workload.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { ageColumn, column, containerColumns, integerColumn, nameColumn, textOrNone, wideColumn } from "../printing/columns.ts";
import { timeSince } from "../printing/duration.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CronJob } from "../types/batch/v1.ts";
import { checkNotNegative, checkRequiredOneOf } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateJobSpec } from "./job-validation.ts";

const macros = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);
const fieldPattern = /^(\*|\?|[0-9]+|[a-zA-Z]{3})(-([0-9]+|[a-zA-Z]{3}))?(\/[0-9]+)?$/;
const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;
/** The longest name of a job is 63; the controller appends 11 characters. */
const maxNameLength = 52;

/** Why a schedule cannot be read; undefined when it can. */
function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith("@every ")) {
    const isDuration = /^@every ([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$/.test(schedule);
    return isDuration ? undefined : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(schedule.slice(7))}`;
  }
  if (schedule.startsWith("@")) return macros.has(schedule) ? undefined : `unrecognized descriptor: ${schedule}`;
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
  for (const [i, text] of fields.entries()) {
    const [min, max] = ranges[i] ?? [0, 0];
    for (const part of text.split(",")) {
      if (!fieldPattern.test(part)) return `failed to parse int from ${part}`;
      const numbers =
        part
          .split("/")[0]
          ?.match(/[0-9]+/g)
          ?.map(Number) ?? [];
      for (const number of numbers) {
        if (number < min) return `beginning of range (${number}) below minimum (${min}): ${part}`;
        if (number > max) return `end of range (${number}) above maximum (${max}): ${part}`;
      }
    }
  }
  return undefined;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function validateSchedule(errors: FieldError[], { schedule, timeZone }: CronJob["spec"]): void {
  if (!schedule) errors.push(field.required("spec.schedule"));
  else {
    const problem = scheduleProblem(schedule);
    if (problem !== undefined) errors.push(field.invalid("spec.schedule", schedule, problem));
    if (schedule.includes("TZ=")) {
      errors.push(field.invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
    }
  }
  if (timeZone === undefined) return;
  if (timeZone === "") errors.push(field.invalid("spec.timeZone", timeZone, "timeZone must be nil or non-empty string"));
  else if (timeZone.toLowerCase() === "local") {
    errors.push(
      field.invalid("spec.timeZone", timeZone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    );
  } else if (!isTimeZone(timeZone)) errors.push(field.invalid("spec.timeZone", timeZone, `unknown time zone ${timeZone}`));
}

function validate({ metadata, spec }: CronJob): FieldError[] {
  const errors: FieldError[] = [];
  validateSchedule(errors, spec);
  checkNotNegative(errors, "spec.startingDeadlineSeconds", spec.startingDeadlineSeconds);
  checkRequiredOneOf(errors, "spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]);
  errors.push(...validateJobSpec("spec.jobTemplate.spec", spec.jobTemplate?.spec, { needsSelector: false }));
  checkNotNegative(errors, "spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit);
  checkNotNegative(errors, "spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit);
  const { name = "" } = metadata;
  if (name.length > maxNameLength) errors.push(field.invalid("metadata.name", name, `must be no more than ${maxNameLength} characters`));
  return errors;
}

export const cronJobStrategy: KindStrategy<CronJob> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    // The job gets its own defaults when it is made; here only its pod template does.
    applyPodTemplateDefaults(spec.jobTemplate?.spec?.template);
  },
  prepareForCreate(job) {
    job.status = {};
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec.schedule),
    column("Timezone", ({ spec }) => textOrNone(spec.timeZone)),
    column("Suspend", ({ spec }) => (spec.suspend ? "True" : "False")),
    integerColumn("Active", ({ status }) => status?.active?.length ?? 0),
    column("Last Schedule", ({ status }, nowMs) => (status?.lastScheduleTime ? timeSince(status.lastScheduleTime, nowMs) : "<none>")),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate.spec?.template.spec?.containers),
    wideColumn("Selector", ({ spec }) => selectorText(spec.jobTemplate.spec?.selector)),
  ],
};
