// One requirement of a label selector: a key, an operator, values; and how it is judged and written.
import { type FieldError, field, fieldErrorMessage } from "../field-error.ts";
import { isQualifiedName, isValidLabelValue } from "../names.ts";

export type RequirementOperator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";

export interface Requirement {
  readonly key: string;
  readonly operator: RequirementOperator;
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>> | undefined;

/** A selector that cannot be understood; its message is upstream's. */
export class SelectorError extends Error {
  readonly code = "ERR_SELECTOR";
}

const integer = /^[-+]?[0-9]+$/;

/** Throws SelectorError when key and values do not fit. */
export function newRequirement(key: string, operator: RequirementOperator, values: readonly string[]): Requirement {
  const errors: FieldError[] = keyErrors(key, "key");
  if ((operator === "in" || operator === "notin") && values.length === 0) {
    errors.push(field.invalid("values", values, "for 'in', 'notin' operators, values set can't be empty"));
  }
  if ((operator === "exists" || operator === "!") && values.length > 0) {
    errors.push(field.invalid("values", values, "values set must be empty for exists and does not exist"));
  }
  if (operator === "gt" || operator === "lt") {
    for (const [index, value] of values.entries()) {
      if (integer.test(value)) continue;
      errors.push(field.invalid(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
  }
  for (const [index, value] of values.entries()) {
    const messages = isValidLabelValue(value);
    if (messages.length > 0) errors.push(field.invalid(`values[${index}][${key}]`, value, messages.join("; ")));
  }
  throwAggregate(errors);
  return { key, operator, values };
}

export function keyErrors(key: string, path: string): FieldError[] {
  const messages = isQualifiedName(key);
  return messages.length === 0 ? [] : [field.invalid(path, key, messages.join("; "))];
}

export function throwAggregate(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const texts = [...new Set(errors.map((error) => fieldErrorMessage(error)))];
  throw new SelectorError(texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`);
}

export function requirementMatches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return value !== undefined && compares(value, operator, values[0] ?? "");
  }
}

function compares(value: string, operator: "gt" | "lt", limit: string): boolean {
  if (!integer.test(value) || !integer.test(limit)) return false;
  return operator === "gt" ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

const symbols = { "=": "=", "==": "==", "!=": "!=", gt: ">", lt: "<", in: " in ", notin: " notin ", exists: "", "!": "" } as const;

/** The requirement as text that parses to it again. */
export function requirementText({ key, operator, values }: Requirement): string {
  if (operator === "exists") return key;
  if (operator === "!") return `!${key}`;
  const list = [...values].sort().join(",");
  const isSet = operator === "in" || operator === "notin";
  return `${key}${symbols[operator]}${isSet ? `(${list})` : list}`;
}
