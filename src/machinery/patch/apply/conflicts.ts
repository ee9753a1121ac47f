// The conflict of an apply: fields that others own and that the applier would change.
import { StatusError, statusError } from "../../status-error.ts";
import { type FieldSet, pathTexts } from "./field-set.ts";
import type { Owner } from "./managed-fields.ts";

export interface ApplyConflict {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** `.spec.replicas` */
  readonly field: string;
}

/** Others own what the applier wants to change; the message is upstream's. */
export class ApplyConflictError extends Error {
  readonly code = "ERR_APPLY_CONFLICT";
  readonly conflicts: readonly ApplyConflict[];

  constructor(conflicts: readonly ApplyConflict[]) {
    super(conflictMessage(conflicts));
    this.conflicts = conflicts;
  }

  /** The 409 that a client gets: one cause for each field. */
  toStatusError(): StatusError {
    const causes = this.conflicts.map((conflict) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${managerText(conflict)}`,
      field: conflict.field,
    }));
    return new StatusError(statusError("Conflict", this.message, { causes }).status, { cause: this });
  }
}

export function conflictsWith({ manager, operation, apiVersion, subresource }: Owner, fields: FieldSet): ApplyConflict[] {
  return pathTexts(fields).map((field) => ({ manager, operation, apiVersion, subresource, field }));
}

function managerText({ manager, operation, apiVersion, subresource }: ApplyConflict): string {
  const name = `${JSON.stringify(manager)}${subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}

function conflictMessage(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first)}: ${first.field}`;
  }
  const byManager = Map.groupBy(conflicts, managerText);
  const messages = [...byManager.keys()].sort().map((manager) => {
    const fields = (byManager.get(manager) ?? []).map(({ field }) => field).sort();
    return `conflicts with ${manager}:\n${fields.map((field) => `- ${field}`).join("\n")}`;
  });
  return `Apply failed with ${conflicts.length} conflicts: ${messages.join("\n")}`;
}
