// The rules by which webhooks and policies say which requests they want.
import { type FieldError, field } from "../../machinery/index.ts";
import type { MatchResources, RuleWithOperations } from "../types/admissionregistration/v1.ts";
import { checkOneOf } from "../validation/checks.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

export function applyRuleDefaults(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

export function applyMatchDefaults(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  applyRuleDefaults(match.resourceRules);
  applyRuleDefaults(match.excludeResourceRules);
}

export function validateRules(errors: FieldError[], path: string, rules: readonly RuleWithOperations[] | undefined): void {
  rules?.forEach((rule, i) => {
    for (const name of ["operations", "apiGroups", "apiVersions", "resources"] as const) {
      const values: readonly string[] = rule[name] ?? [];
      const listPath = `${path}[${i}].${name}`;
      if (values.length === 0) errors.push(field.required(listPath));
      if (name !== "resources" && values.length > 1 && values.includes("*")) {
        errors.push(field.invalid(listPath, values, "if '*' is present, must not specify other values"));
      }
    }
    rule.operations?.forEach((operation, j) => {
      checkOneOf(errors, `${path}[${i}].operations[${j}]`, operation, operations);
    });
    checkOneOf(errors, `${path}[${i}].scope`, rule.scope, ["*", "Cluster", "Namespaced"]);
    checkResources(errors, `${path}[${i}].resources`, rule.resources ?? []);
  });
}

/** What a wildcard covers already may not be named beside it. */
function checkResources(errors: FieldError[], path: string, names: readonly string[]): void {
  const known = new Set(names);
  names.forEach((name, i) => {
    const [resource = "", subresource] = name.split("/");
    const covers = (other: string) => other !== name && known.has(other);
    if (name === "") errors.push(field.required(`${path}[${i}]`));
    else if (covers("*/*")) {
      errors.push(field.invalid(`${path}[${i}]`, names, "if '*/*' is present, must not specify other resources"));
    } else if (subresource !== undefined && covers(`${resource}/*`)) {
      errors.push(field.invalid(`${path}[${i}]`, name, `if '${resource}/*' is present, must not specify ${name}`));
    } else if (subresource !== undefined && covers(`*/${subresource}`)) {
      errors.push(field.invalid(`${path}[${i}]`, name, `if '*/${subresource}' is present, must not specify ${name}`));
    } else if (subresource === undefined && covers("*")) {
      errors.push(field.invalid(`${path}[${i}]`, names, "if '*' is present, must not specify other resources without subresources"));
    }
  });
}
