// IPAddress: named by the address, owned by its parent.
import { type FieldError, field, isValidIp } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { IPAddress } from "../types/networking/v1.ts";
import { checkImmutable } from "../validation/checks.ts";

function parentCell({ spec: { parentRef } }: IPAddress): string {
  const { group, resource, namespace, name } = parentRef;
  return `${resource}${group ? `.${group}` : ""}/${namespace ? `${namespace}/` : ""}${name}`;
}

export const ipAddressStrategy: KindStrategy<IPAddress> = {
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec?.parentRef) return [field.required("spec.parentRef")];
    if (!spec.parentRef.resource) errors.push(field.required("spec.parentRef.resource"));
    if (!spec.parentRef.name) errors.push(field.required("spec.parentRef.name"));
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.parentRef", spec.parentRef, old.parentRef);
    return errors;
  },
  validateName: isValidIp,
  hasGeneration: true,
  selectableFields: {},
  columns: [nameColumn, column("ParentRef", parentCell), ageColumn],
};
