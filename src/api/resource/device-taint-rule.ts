// DeviceTaintRule: a taint that an administrator puts on devices. Its status says what became of the pods that use them.
import { formatTime } from "../../base/index.ts";
import { type FieldError, field, isDns1123Label, isDns1123Subdomain, isValidLabelValue, validateLabelName } from "../../machinery/index.ts";
import { ageColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { DeviceTaint } from "../types/resource/v1.ts";
import type { DeviceTaintRule, DeviceTaintSelector } from "../types/resource/v1beta2.ts";
import { checkMessages, checkRequiredName, checkRequiredOneOf } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";

const MAX_DRIVER_LENGTH = 63;
const MAX_POOL_LENGTH = 253;

export function checkDriverName(errors: FieldError[], path: string, name: string | undefined): void {
  if ((name?.length ?? 0) > MAX_DRIVER_LENGTH) errors.push(field.tooLong(path, MAX_DRIVER_LENGTH));
  checkRequiredName(errors, path, name, isDns1123Subdomain);
}

/** One or more DNS subdomains with slashes between. */
export function checkPoolName(errors: FieldError[], path: string, name: string | undefined): void {
  if (name === undefined || name === "") errors.push(field.required(path));
  else if (name.length > MAX_POOL_LENGTH) errors.push(field.tooLong(path, MAX_POOL_LENGTH));
  else for (const part of name.split("/")) checkMessages(errors, path, part, isDns1123Subdomain(part));
}

/** `old`: what stood there before may stay. */
export function checkDeviceTaint(errors: FieldError[], path: string, taint: DeviceTaint, old?: DeviceTaint): void {
  errors.push(...validateLabelName(taint.key, `${path}.key`));
  if (taint.value) checkMessages(errors, `${path}.value`, taint.value, isValidLabelValue(taint.value));
  if (old?.effect !== taint.effect) checkRequiredOneOf(errors, `${path}.effect`, taint.effect, ["NoExecute", "NoSchedule", "None"]);
}

function checkSelector(errors: FieldError[], path: string, { driver, pool, device }: DeviceTaintSelector): void {
  if (driver !== undefined) checkDriverName(errors, `${path}.driver`, driver);
  if (pool !== undefined) checkPoolName(errors, `${path}.pool`, pool);
  if (device !== undefined) checkRequiredName(errors, `${path}.device`, device, isDns1123Label);
}

export const deviceTaintRuleStrategy: KindStrategy<DeviceTaintRule> = {
  prepareForCreate(rule, { clock }) {
    dropStatus(rule);
    if (rule.spec?.taint) rule.spec.taint.timeAdded ??= formatTime(clock.now());
  },
  prepareForUpdate(rule, old, { clock }) {
    keepStatus(rule, old);
    const taint = rule.spec?.taint;
    if (!taint) return;
    const before = old.spec.taint;
    // An eviction counts from when it was decided, not from when the rule was made.
    const isStale = taint.effect !== before.effect && taint.timeAdded === before.timeAdded;
    if (isStale || taint.timeAdded === undefined) taint.timeAdded = formatTime(clock.now());
  },
  prepareForStatusUpdate: keepSpec,
  validate({ spec }, old) {
    const errors: FieldError[] = [];
    if (!spec?.taint) return [field.required("spec.taint")];
    if (spec.deviceSelector) checkSelector(errors, "spec.deviceSelector", spec.deviceSelector);
    checkDeviceTaint(errors, "spec.taint", spec.taint, old?.spec.taint);
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, ageColumn],
};
