// Whether a rule of a webhook or policy covers a request for a resource.
import type { Resource } from "../../../api/index.ts";
import type { NamedRuleWithOperations } from "../../../api/types/admissionregistration/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";

export type Rule = DeepReadonly<NamedRuleWithOperations>;

/** A request seen as one for `resource`, which may be another version of the one that was asked for. */
export interface Seen {
  readonly operation: string;
  readonly resource: Resource;
  readonly subresource: string;
  readonly name: string;
}

export function ruleCovers(rule: Rule, { operation, resource, subresource, name }: Seen): boolean {
  return (
    scopeCovers(rule, resource) &&
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, resource.group) &&
    includes(rule.apiVersions, resource.version) &&
    (rule.resources ?? []).some((pattern) => resourceCovers(pattern, resource.resource, subresource)) &&
    (rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  );
}

/** Namespaces themselves are cluster-scoped. */
function scopeCovers({ scope = "*" }: Rule, { namespaced }: Resource): boolean {
  return scope === "*" || (scope === "Namespaced") === namespaced;
}

function includes(values: readonly string[] = [], value: string): boolean {
  return values.includes("*") || values.includes(value);
}

/** Such as `pods`, `pods/status`; a star stands for any plural or any subresource, alone for no subresource. */
function resourceCovers(pattern: string, plural: string, subresource: string): boolean {
  const [wantedPlural = "", wantedSubresource = ""] = pattern.split("/");
  return (wantedPlural === "*" || wantedPlural === plural) && (wantedSubresource === "*" || wantedSubresource === subresource);
}
