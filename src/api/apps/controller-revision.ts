// ControllerRevision: a snapshot that never changes but for its number.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ControllerRevision } from "../types/apps/v1.ts";
import { checkImmutable, checkNotNegative } from "../validation/checks.ts";

function controllerCell({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (!owner) return "<none>";
  const [group = "", version] = owner.apiVersion.split("/");
  return `${owner.kind.toLowerCase()}${version === undefined ? "" : `.${group}`}/${owner.name}`;
}

export const controllerRevisionStrategy: KindStrategy<ControllerRevision> = {
  validate(revision) {
    const errors: FieldError[] = [];
    if (revision.data === undefined || revision.data === null) errors.push(field.required("data", "data is mandatory"));
    checkNotNegative(errors, "revision", revision.revision);
    return errors;
  },
  validateUpdate(revision, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "data", revision.data, old.data);
    return errors;
  },
  columns: [nameColumn, column("Controller", controllerCell), integerColumn("Revision", ({ revision }) => revision), ageColumn],
};
