// Validation of conditions of the common type.
import { type Condition, type FieldError, field, isQualifiedName } from "../../machinery/index.ts";
import { checkMessages, checkNotNegative, checkOneOf } from "./checks.ts";

const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_MAX_BYTES = 1024;
const MESSAGE_MAX_BYTES = 32 * 1024;

export function validateConditions(conditions: readonly Condition[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  conditions?.forEach((condition, i) => {
    const at = `${path}[${i}]`;
    if (types.has(condition.type)) errors.push(field.duplicate(`${at}.type`, condition.type));
    types.add(condition.type);
    validateCondition(errors, at, condition);
  });
  return errors;
}

function validateCondition(errors: FieldError[], path: string, condition: Condition): void {
  const { type, status, observedGeneration, lastTransitionTime, reason, message } = condition;
  checkMessages(errors, `${path}.type`, type, isQualifiedName(type));
  checkOneOf(errors, `${path}.status`, status, ["False", "True", "Unknown"]);
  checkNotNegative(errors, `${path}.observedGeneration`, observedGeneration);
  if (!lastTransitionTime) errors.push(field.required(`${path}.lastTransitionTime`, "must be set"));
  if (!reason) errors.push(field.required(`${path}.reason`, "must be set"));
  else if (!REASON.test(reason)) {
    const words =
      "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
    const detail = `${words} (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON.source.slice(1, -1)}')`;
    errors.push(field.invalid(`${path}.reason`, reason, detail));
  }
  if (Buffer.byteLength(reason ?? "") > REASON_MAX_BYTES) errors.push(field.tooLong(`${path}.reason`, REASON_MAX_BYTES));
  if (Buffer.byteLength(message ?? "") > MESSAGE_MAX_BYTES) errors.push(field.tooLong(`${path}.message`, MESSAGE_MAX_BYTES));
}
