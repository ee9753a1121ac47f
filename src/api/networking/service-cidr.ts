// ServiceCIDR: the ranges that services' addresses come from.
import { type FieldError, field, isValidCidr } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ServiceCIDR } from "../types/networking/v1.ts";
import { checkImmutable, checkMessages } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";

export const serviceCidrStrategy: KindStrategy<ServiceCIDR> = {
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) errors.push(field.required("spec.cidrs", "at least one CIDR required"));
    if (cidrs.length > 2) errors.push(field.tooMany("spec.cidrs", cidrs.length, 2));
    cidrs.forEach((cidr, i) => {
      checkMessages(errors, `spec.cidrs[${i}]`, cidr, isValidCidr(cidr));
    });
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.cidrs[0]", spec?.cidrs?.[0], old?.cidrs?.[0]);
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, column("CIDRs", ({ spec }) => (spec?.cidrs ?? []).join(",")), ageColumn],
};
