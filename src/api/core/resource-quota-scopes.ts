// The scopes of a ResourceQuota: which there are, which resources they can limit, which exclude each other.
import { type FieldError, field } from "../../machinery/index.ts";
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../types/core/v1.ts";

const pods = ["pods"];
const ofPods = [...pods, "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const ofClaims = ["persistentvolumeclaims", "requests.storage"];

/** What each scope can limit. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  BestEffort: pods,
  CrossNamespacePodAffinity: ofPods,
  NotBestEffort: ofPods,
  NotTerminating: ofPods,
  PriorityClass: ofPods,
  Terminating: ofPods,
  VolumeAttributesClass: ofClaims,
};
const withoutValues = new Set(["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"]);
const conflicting = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** Names of quotas without a domain; others are checked by no one. */
const standardNames = new Set([
  ...ofPods,
  ...ofClaims,
  "ephemeral-storage",
  "requests.ephemeral-storage",
  "limits.ephemeral-storage",
  "services",
  "services.nodeports",
  "services.loadbalancers",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
]);

export function isStandardQuotaName(name: string): boolean {
  return standardNames.has(name) || /^(requests\.)?hugepages-/.test(name);
}

export function checkQuotaScopes(errors: FieldError[], spec: ResourceQuotaSpec): void {
  const limited = Object.keys(spec.hard ?? {}).filter(isStandardQuotaName);
  const named = spec.scopes ?? [];
  for (const scope of named) checkScope(errors, scope, { at: "spec.scopes", value: named, named: "spec.scopes", limited });
  checkConflicts(errors, "spec.scopes", named, named);
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  const at = "spec.scopeSelector.matchExpressions";
  for (const expression of expressions) {
    checkScope(errors, expression.scopeName, { at, value: spec.scopeSelector, named: `${at}.scopeName`, limited });
    checkOperator(errors, at, expression);
  }
  const selected = expressions.map(({ scopeName }) => scopeName);
  checkConflicts(errors, at, selected, spec.scopeSelector);
}

interface ScopePlace {
  readonly at: string;
  readonly value: unknown;
  /** Where the name of an unknown scope stands. */
  readonly named: string;
  readonly limited: readonly string[];
}

function checkScope(errors: FieldError[], scope: string, { at, value, named, limited }: ScopePlace): void {
  const allowed = scopes[scope];
  if (allowed === undefined) errors.push(field.invalid(named, named === at ? value : scope, "unsupported scope"));
  else if (limited.some((name) => !allowed.includes(name))) errors.push(field.invalid(at, value, "unsupported scope applied to resource"));
}

function checkConflicts(errors: FieldError[], at: string, names: readonly string[], value: unknown): void {
  for (const pair of conflicting)
    if (pair.every((name) => names.includes(name))) errors.push(field.invalid(at, value, "conflicting scopes"));
}

function checkOperator(errors: FieldError[], at: string, { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement): void {
  if (withoutValues.has(scopeName) && operator !== "Exists") {
    const why =
      "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(field.invalid(`${at}.operator`, operator, why));
  }
  if (operator === "In" || operator === "NotIn") {
    if (values.length > 0) return;
    errors.push(field.required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length === 0) return;
    errors.push(field.invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
  } else {
    errors.push(field.invalid(`${at}.operator`, operator, "not a valid selector operator"));
  }
}
