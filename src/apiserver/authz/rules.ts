// What one PolicyRule allows, and which rules cover which.
import type { PolicyRule } from "../../api/types/rbac/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Rule = DeepReadonly<PolicyRule>;

export interface ResourceQuestion {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
}

function has(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes("*") || values.includes(value));
}

/** Whether the rule speaks of this verb and resource; names aside. */
export function coversResource(rule: Rule, { verb, group, resource, subresource }: ResourceQuestion): boolean {
  return has(rule.verbs, verb) && has(rule.apiGroups, group) && hasResource(rule.resources, resource, subresource);
}

function hasResource(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (resources === undefined) return false;
  if (resources.includes("*")) return true;
  if (subresource === "") return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** No resourceNames means every name. */
export function coversName(rule: Rule, name: string): boolean {
  return rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(name);
}

/** A trailing `*` covers every path that begins so. */
export function coversPath(rule: Rule, verb: string, path: string): boolean {
  if (!has(rule.verbs, verb)) return false;
  return rule.nonResourceURLs?.some((url) => url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1)))) === true;
}

/** The parts of `wanted` that no rule of `owned` covers: what someone with `owned` may not give away. */
export function uncovered(owned: readonly Rule[], wanted: readonly Rule[]): Rule[] {
  return wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => coversPart(rule, part)));
}

/** A rule as rules of one verb, one group, one resource and one name each. */
function breakDown(rule: Rule): Rule[] {
  const parts: Rule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (rule.resourceNames === undefined || rule.resourceNames.length === 0) parts.push(part);
        else for (const name of rule.resourceNames) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  return parts;
}

function coversPart(rule: Rule, part: Rule): boolean {
  const [verb = ""] = part.verbs;
  const [url] = part.nonResourceURLs ?? [];
  if (url !== undefined) return coversPath(rule, verb, url);
  const [resource = "", subresource = ""] = (part.resources?.[0] ?? "").split("/");
  if (!coversResource(rule, { verb, group: part.apiGroups?.[0] ?? "", resource, subresource })) return false;
  const [name] = part.resourceNames ?? [];
  return name === undefined ? (rule.resourceNames ?? []).length === 0 : coversName(rule, name);
}
