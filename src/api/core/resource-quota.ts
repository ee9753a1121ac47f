// ResourceQuota: validation, columns.
import { type FieldError, field, quantityMilli } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ResourceQuota } from "../types/core/v1.ts";
import { notNegative } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { checkQuotaScopes, isStandardQuotaName } from "./resource-quota-scopes.ts";

/** `pods: 1/10, ` for the names that pass. */
function usageCell({ status }: ResourceQuota, shows: (name: string) => boolean): string {
  const names = Object.keys(status?.hard ?? {}).sort();
  return names
    .filter(shows)
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
    .join(", ");
}

const isLimit = (name: string): boolean => name.startsWith("limits.");

function validateQuantities(errors: FieldError[], path: string, quantities: Readonly<Record<string, string>> | undefined): void {
  for (const name in quantities) {
    const quantity = quantities[name] ?? "0";
    if (!name.includes("/") && !isStandardQuotaName(name)) {
      errors.push(field.invalid(`${path}[${name}]`, name, "must be a standard resource for quota"));
    }
    if (quantityMilli(quantity) < 0) errors.push(field.invalid(`${path}[${name}]`, quantity, notNegative));
    else if (!/cpu|memory|storage/.test(name) && quantityMilli(quantity) % 1000 !== 0) {
      errors.push(field.invalid(`${path}[${name}]`, quantity, "must be an integer"));
    }
  }
}

export const resourceQuotaStrategy: KindStrategy<ResourceQuota> = {
  prepareForCreate(quota) {
    quota.status = {};
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateQuantities(errors, "spec.hard", spec?.hard);
    checkQuotaScopes(errors, spec ?? {});
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const isSame = semanticEqual([...(spec?.scopes ?? [])].sort(), [...(old?.scopes ?? [])].sort());
    return isSame ? [] : [field.invalid("spec.scopes", spec?.scopes, "field is immutable")];
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    validateQuantities(errors, "status.hard", status?.hard);
    validateQuantities(errors, "status.used", status?.used);
    return errors;
  },
  columns: [
    nameColumn,
    column("Request", (quota) => usageCell(quota, (name) => !isLimit(name))),
    column("Limit", (quota) => usageCell(quota, isLimit)),
    ageColumn,
  ],
};
