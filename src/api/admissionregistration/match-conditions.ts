// matchConditions of webhooks and policies: names that tell them apart, expressions that are true or false.
import type { CelEnvironment } from "../../machinery/cel/index.ts";
import { type FieldError, field, isQualifiedName } from "../../machinery/index.ts";
import type { MatchCondition } from "../types/admissionregistration/v1.ts";
import { checkRequiredName } from "../validation/checks.ts";
import { checkExpression } from "./expressions.ts";

const MAX_CONDITIONS = 64;

export function checkMatchConditions(
  errors: FieldError[],
  path: string,
  conditions: readonly MatchCondition[] | undefined,
  environment: CelEnvironment,
): void {
  if (conditions === undefined) return;
  if (conditions.length > MAX_CONDITIONS) errors.push(field.tooMany(path, conditions.length, MAX_CONDITIONS));
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    checkExpression(errors, `${path}[${i}].expression`, expression, { environment, results: ["bool"] });
    checkRequiredName(errors, `${path}[${i}].name`, name, isQualifiedName);
    if (names.has(name)) errors.push(field.duplicate(`${path}[${i}].name`, name));
    names.add(name);
  });
}
