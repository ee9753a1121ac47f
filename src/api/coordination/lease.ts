// Lease: durations and transitions.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Lease } from "../types/coordination/v1.ts";
import { checkNotNegative } from "../validation/checks.ts";

export const leaseStrategy: KindStrategy<Lease> = {
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
      errors.push(field.invalid("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
    }
    checkNotNegative(errors, "spec.leaseTransitions", spec?.leaseTransitions);
    return errors;
  },
  allowsCreateOnUpdate: true,
  allowsUnconditionalUpdate: false,
  columns: [nameColumn, column("Holder", (lease) => lease.spec?.holderIdentity ?? ""), ageColumn],
};
