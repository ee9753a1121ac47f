// LimitRange: defaults that follow from each other, validation.
import { amountOf, type FieldError, field, quantityMilli } from "../../machinery/index.ts";
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { LimitRange, LimitRangeItem } from "../types/core/v1.ts";

type Bound = "min" | "default" | "defaultRequest" | "max";

/** Which bound may not exceed which. */
const orders: readonly (readonly [lower: Bound, upper: Bound, text: string])[] = [
  ["min", "max", "min value %a is greater than max value %b"],
  ["min", "defaultRequest", "min value %a is greater than default request value %b"],
  ["defaultRequest", "max", "default request value %a is greater than max value %b"],
  ["defaultRequest", "default", "default request value %a is greater than default limit value %b"],
  ["min", "default", "min value %a is greater than default value %b"],
  ["default", "max", "default value %a is greater than max value %b"],
];

function applyItemDefaults(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (hasMore(limits, item.default)) item.default = limits;
  if (hasMore(requests, item.defaultRequest)) item.defaultRequest = requests;
}

/** What is complete must not be assigned anew: a patched object shares it with the one that stands. */
function hasMore(completed: object, own: object = {}): boolean {
  return Object.keys(completed).length > Object.keys(own).length;
}

function validateItem(errors: FieldError[], path: string, item: LimitRangeItem): void {
  const names = new Set(
    [item.min, item.max, item.default, item.defaultRequest, item.maxLimitRequestRatio].flatMap((list) => Object.keys(list ?? {})),
  );
  for (const name of names) {
    for (const [lower, upper, text] of orders) {
      const a = amountOf(item[lower], name);
      const b = amountOf(item[upper], name);
      if (a === undefined || b === undefined || quantityMilli(a) <= quantityMilli(b)) continue;
      errors.push(field.invalid(`${path}.${lower}[${name}]`, a, text.replace("%a", a).replace("%b", b)));
    }
    const ratio = amountOf(item.maxLimitRequestRatio, name);
    if (ratio !== undefined && quantityMilli(ratio) < 1000) {
      errors.push(field.invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
    }
  }
  if (item.type !== "Pod") return;
  if (item.default) errors.push(field.forbidden(`${path}.default`, "may not be specified when `type` is 'Pod'"));
  if (item.defaultRequest) errors.push(field.forbidden(`${path}.defaultRequest`, "may not be specified when `type` is 'Pod'"));
}

export const limitRangeStrategy: KindStrategy<LimitRange> = {
  applyDefaults({ spec }) {
    for (const item of spec?.limits ?? []) applyItemDefaults(item);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const types = new Set<string>();
    spec?.limits?.forEach((item, i) => {
      const path = `spec.limits[${i}]`;
      if (types.has(item.type)) errors.push(field.duplicate(`${path}.type`, item.type));
      types.add(item.type);
      validateItem(errors, path, item);
    });
    return errors;
  },
  columns: [nameColumn, column("Created At", ({ metadata }) => metadata.creationTimestamp ?? "")],
};
